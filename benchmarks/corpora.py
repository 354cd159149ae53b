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
    return str(path.resolve())


def mixed_lengths(tokenizer_path, number, shortest, longest, seed=0):
    """Cut Wikipedia articles into texts whose lengths in pieces are evenly spread, shuffled.

    Args:
        tokenizer_path: the checkpoint's `tokenizer.json`.
        number: int. Number of texts.
        shortest: int. Pieces of the shortest text, special tokens counted.
        longest: int. Pieces of the longest.
    """
    import tokenizers

    from tf_bertembed import quickstart

    tokenizer = tokenizers.Tokenizer.from_file(str(tokenizer_path))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    articles = [" ".join(document) for document in quickstart.wikipedia_documents()]
    encodings = tokenizer.encode_batch(articles, add_special_tokens=False)
    pieces = [
        (article, offsets)
        for article, encoding in zip(articles, encodings, strict=True)
        for offsets in [encoding.offsets]
        if len(offsets) >= longest
    ]
    draw = random.Random(seed)
    texts = []
    for place in range(number):
        wanted = shortest + round(place * (longest - shortest) / max(1, number - 1)) - 2
        article, offsets = draw.choice(pieces)
        first = draw.randrange(len(offsets) - wanted + 1)
        texts.append(article[offsets[first][0] : offsets[first + wanted - 1][1]])
    draw.shuffle(texts)
    return texts


def write_pretraining(path, sizes, batches, batch_size):
    """Write batches of masked Wikipedia texts, `[batches, batch_size, …]`, once."""
    if path.exists():
        return
    import numpy as np

    from tf_bertembed import quickstart, text

    documents = quickstart.wikipedia_documents()
    vocabulary = text.train_vocabulary(
        [sentence for document in documents for sentence in document], sizes["vocabulary_size"]
    )
    examples = text.PretrainingExamples(
        documents,
        text.BertEmbedTokenizer(vocabulary),
        sequence_length=sizes["max_sequence_length"],
        batch_size=batch_size,
        next_sentence=False,
    )
    made = [examples.batch(step) for step in range(batches)]
    arrays = {name: np.stack([batch[0][name] for batch in made]) for name in made[0][0]}
    arrays["mask_ids"] = np.stack([batch[1]["masked_lm"] for batch in made])
    arrays["mask_weights"] = np.stack([batch[2]["masked_lm"] for batch in made])
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)


def wikitext2(data):
    """The articles of WikiText-2's valid and test part, lists of paragraphs.

    `<unk>` is taken out, which is trivial to guess, and the corpus's marks of joined numbers
    and hyphens are undone.
    """
    documents = []
    for name in ("valid.txt", "test.txt"):
        for line in (data / "wikitext2" / name).read_text(encoding="utf-8").splitlines():
            line = line.replace("<unk>", " ")
            for mark, plain in ((" @-@ ", "-"), (" @,@ ", ","), (" @.@ ", ".")):
                line = line.replace(mark, plain)
            if line.startswith(" = ") and not line.startswith(" = = "):
                documents.append([])
            if line.strip():
                documents[-1].append(" ".join(line.split()))
    return documents


def chinese_news(data):
    """The documents of CLUE's news corpus, lists of parts."""
    lines = (data / "clue-corpus-zh" / "documents.txt").read_text(encoding="utf-8").splitlines()
    documents = [[part for part in line.split("\t") if part.strip()] for line in lines]
    return [document for document in documents if document]
