"""The road from raw text to a served model and a probe."""

import json
import sys
import time
from pathlib import Path

from tf_bertembed.common import atomic_path, make_folder, numbered_folders
from tf_bertembed.quickstart.data import bbc_articles, require_packages, wikipedia_documents
from tf_bertembed.quickstart.settings import FAST, FULL

SENTENCES = (
    "The striker scored twice in the second half and sent his club to the top of the table.",
    "Shares in the bank fell after it warned that profits would miss forecasts.",
    "The new phone runs its software on a chip that the company designed itself.",
)


class _Steps:
    """Says on stderr what is being done, and how long it took."""

    def __init__(self, total):
        self._total, self._number, self._start = total, 0, time.perf_counter()
        self.seconds = {}

    def begin(self, title):
        self._number += 1
        self._title, self._begun = title, time.perf_counter()
        print(f"[{self._number}/{self._total}] {title} ...", file=sys.stderr, flush=True)

    def done(self, note=""):
        seconds = time.perf_counter() - self._begun
        self.seconds[self._title] = round(seconds, 1)
        print(f"      {seconds:.0f} s. {note}", file=sys.stderr, flush=True)

    def total(self):
        return round(time.perf_counter() - self._start, 1)


def _claim_folder(runs):
    number = max(numbered_folders(make_folder(runs)), default=0) + 1
    while True:
        try:
            (runs / str(number)).mkdir()
            return runs / str(number)
        except FileExistsError:  # another run was quicker
            number += 1


def _head(pair, count):
    return tuple(column[:count] for column in pair)


def run(output=".", fast=False, seed=0):
    """Walk the whole road on real data.

    Learns a vocabulary from Wikipedia articles; pretrains a small BERT from
    random and from GloVe; fine-tunes a classifier of BBC news, joined with
    word vectors, from the small BERT and from all-MiniLM-L6-v2; fits a
    LogisticRegression on four kinds of features; exports and verifies the
    classifier, and asks it three sentences. Prints one table and the paths of
    what it made.

    Args:
        output: string or `pathlib.Path`. The folder under which it writes:
            `saved_models/bbc/VERSION` and `runs/quickstart/NUMBER`.
        fast: bool. The same road in smaller steps.
        seed: int. Seed of everything that is drawn.

    Returns:
        A dict of every result, which can be written as JSON.

    Raises:
        MissingPackageError: naming the demo packages that are not installed.
        BertEmbedError: where a file stands in the way of its folders.

    Example:

    ```python
    from tf_bertembed import quickstart

    # quickstart.run(output="demo", fast=True) takes about two minutes; a place
    # that cannot be written to is said before they begin.
    open("demo", "w").close()
    try:
        quickstart.run(output="demo", fast=True)
    except ValueError as error:
        assert "demo is a file" in str(error)
    ```
    """
    require_packages()
    from tf_bertembed import export, models, text, training, vectors
    from tf_bertembed.quickstart import report
    from tf_bertembed.quickstart.classification import fine_tune
    from tf_bertembed.quickstart.pretraining import compare_starts
    from tf_bertembed.quickstart.probing import compare_features

    settings = FAST if fast else FULL
    output = Path(output)
    # Both places are tried first, so that no fault of theirs costs the minutes between.
    served = make_folder(output / "saved_models" / "bbc")
    place = _claim_folder(output / "runs" / "quickstart")
    steps = _Steps(total=7)
    results = {"seed": seed, "fast": fast}

    steps.begin("Reading GloVe, Wikipedia articles and BBC news")
    glove = vectors.load("glove-6b-50d", limit=settings.static_words)
    documents = wikipedia_documents()
    dev = documents[::10]
    documents = [document for number, document in enumerate(documents) if number % 10]
    train, held_out = bbc_articles(seed)
    train, held_out = _head(train, settings.articles), _head(held_out, settings.held_out)
    steps.done(
        f"{len(documents)} + {len(dev)} articles; {len(train[0])} + {len(held_out[0])} news."
    )

    steps.begin("Learning a vocabulary and aligning GloVe to it")
    sentences = [sentence for document in documents for sentence in document]
    vocabulary = text.train_vocabulary(sentences, settings.vocabulary_size)
    tokenizer = text.BertEmbedTokenizer(vocabulary)
    alignment = vectors.align(glove, vocabulary, seed=seed)
    results["alignment"] = alignment.coverage.to_dict()
    steps.done(", ".join(f"{n} {m}" for m, n in alignment.coverage.counts.items() if n))

    steps.begin("Pretraining a small BERT, cold and warm")
    starts = compare_starts(documents, dev, tokenizer, alignment.matrix, settings, seed)
    results["pretraining"] = {"steps": starts.steps, "curves": starts.curves}
    report.plot_starts(starts, place / "pretraining.png")
    last = {name: losses[-1] for name, losses in starts.curves.items()}
    steps.done(f"Dev loss cold {last['cold']:.3f}, warm {last['warm']:.3f}.")

    table = vectors.static_table(glove)
    folder = models.find_checkpoint("all-minilm-l6-v2")
    results["fine_tuning"] = {}
    for name, backbone, pieces, count, epochs, rate in (
        ("small BERT", starts.warm, tokenizer, None, settings.small_epochs, 1e-3),
        (
            "all-MiniLM-L6-v2",
            models.load(folder),
            text.BertEmbedTokenizer.from_folder(folder),
            settings.imported_steps * settings.batch_size,
            1,
            2e-4,
        ),
    ):
        steps.begin(f"Fine-tuning {name} with the concatenation head")
        chosen = _head(train, count)
        classifier, history, metrics = fine_tune(
            backbone, table, pieces, chosen, held_out, settings, seed, epochs, rate
        )
        passes = f"{epochs} epoch{'s' if epochs > 1 else ''}"
        results["fine_tuning"][f"{name} + GloVe, {len(chosen[0])} articles, {passes}"] = metrics
        training.save_run(place / name.split()[0].lower(), classifier, history, metrics)
        steps.done(f"Accuracy {metrics['accuracy']:.3f}.")

    steps.begin("Fitting LogisticRegression on TF-IDF, word vectors, BERT, and both")
    results["probe"] = compare_features(train, held_out, settings, seed)
    report.plot_probes(results["probe"], place / "probe.png")
    steps.done()

    steps.begin("Exporting, verifying through the C API, asking three sentences")
    exported = export.export_saved_model(classifier, served)
    verification = export.verify(exported)
    answers = export.answer(exported, list(SENTENCES))
    results["export"] = {
        "path": str(exported),
        "ok": verification.ok,
        "difference": verification.difference,
    }
    results["answers"] = {
        sentence: _text(label) for sentence, label in zip(SENTENCES, answers["label"], strict=True)
    }
    steps.done("Verified." if verification.ok else "NOT verified.")

    results["seconds"] = {**steps.seconds, "total": steps.total()}
    with atomic_path(place / "results.json") as fresh:
        content = json.dumps(results, indent=2, ensure_ascii=False) + "\n"
        fresh.write_text(content, encoding="utf-8")
    report.print_table(results)
    for sentence, label in results["answers"].items():
        print(f"{label:>14}  {sentence}")
    print(f"\nPlots:        {place}/pretraining.png, {place}/probe.png")
    print(f"Runs:         {place}/small, {place}/all-minilm-l6-v2")
    print(f"Served model: {exported}")
    print(f"In all {results['seconds']['total']:.0f} s.")
    return results


def _text(label):
    return label.decode() if isinstance(label, bytes) else str(label)
