"""How fast do strings become features, against the package `tokenizers` on the same cores?

Padded arrays of ids, segments and masks of at most 128 pieces, special tokens included, from single
sentences and from pairs of them; the answers of the first round are compared. "words" adds the rows
of 400,000 words with vectors, which `tokenizers` does not do.

    python benchmarks/preprocessing.py [--rounds N] [--data FOLDER] [--batch-size N] [--texts N]
"""

import sys

import corpora
from harness import Benchmark, Contender, Goal, options
from harness.session import exit_code

MODULE = "contenders.preprocessing"
KINDS = ("single", "pairs")
OURS = {
    "tf_bertembed, tf.data": {"way": "tf.data"},
    "tf_bertembed, lists": {"way": "lists"},
    "tf_bertembed, tf.data, words": {"way": "tf.data", "words": True},
    "tf_bertembed, lists, words": {"way": "lists", "words": True},
}
CONTENDERS = [
    Contender("tokenizers", f"{MODULE}:tokenizers"),
    *(
        Contender(name, f"{MODULE}:preprocessor", settings=settings)
        for name, settings in OURS.items()
    ),
]
GOALS = [
    Goal(name, 2.0 if "words" in settings else 4.0, "tokenizers", f"{kind}_seconds")
    for kind in KINDS
    for name, settings in OURS.items()
]


def write_vocabulary(data, texts, path):
    """The path of a vocabulary: BERT's uncased one where there is data, else one of these texts."""
    published = data and data / "vocabularies" / "google_uncased_en.txt"
    if published and published.exists():
        return str(published.resolve())
    from tf_bertembed import text

    path.parent.mkdir(parents=True, exist_ok=True)
    text.save_vocabulary(text.train_vocabulary(texts, 8000), path, overwrite=True)
    return str(path.resolve())


def main():
    """Run it."""

    def extend(parser):
        parser.add_argument("--batch-size", type=int, default=512, help="texts in a batch (512)")
        parser.add_argument("--texts", type=int, default=2048, help="texts of a kind (2048)")

    arguments = options.parse(__doc__, CONTENDERS, rounds=9, extend=extend)
    work = arguments.output / "work"
    texts, source = corpora.sentences(arguments.data, 2 * arguments.texts)
    vocabulary = write_vocabulary(arguments.data, texts, work / "preprocessing.vocab.txt")
    for contender in arguments.chosen:
        contender.settings["vocabulary"] = vocabulary
    result = Benchmark(
        "preprocessing",
        "Seconds from strings to padded features, single sentences and pairs together.",
        arguments,
        f"{MODULE}:workload",
        {
            "path": corpora.write(texts, work / "preprocessing.json"),
            "batch_size": arguments.batch_size,
        },
        base="tokenizers",
        goals=GOALS,
        reference="tokenizers",
        notes={
            f"{arguments.texts} texts, and as many pairs, of": source,
            "batches of": arguments.batch_size,
        },
    ).run()
    return exit_code(result)


if __name__ == "__main__":
    sys.exit(main())
