"""Real texts for the workloads."""

import json
import random


def _differing(texts):
    return list(dict.fromkeys(text for text in texts if text.strip()))


def sentences(data, number, seed=0):
    """Sentences in random order: of STS-B where there is data, else of gensim's Wikipedia.

    Returns:
        A pair of the list of sentences and a string that says what they are.
    """
    if data is not None and (data / "stsb-en").is_dir():
        from tf_bertembed import text

        pool = []
        for split in ("dev", "test", "train"):
            first, second = text.read_labelled(data / "stsb-en" / f"{split}.tsv")[0]
            pool += [*first, *second]
        source = "STS-B"
    else:
        from tf_bertembed import quickstart

        pool = [s for document in quickstart.wikipedia_documents() for s in document]
        source = "Wikipedia (of gensim's test data; for STS-B pass --data)"
    pool = _differing(pool)
    random.Random(seed).shuffle(pool)
    if len(pool) < number:
        raise ValueError(f"{number} sentences were asked for, {source} holds {len(pool)}.")
    return pool[:number], source


def write(texts, path):
    """Write texts for `workloads` to read; answer the path as a string."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(texts))
    return str(path)
