"""Compare the in-graph tokenizer with the package `tokenizers`, piece for piece, on real text.

    python benchmarks/tokenizer_parity.py --data FOLDER

FOLDER holds `vocabularies/`, `sst2/`, `stsb-en/`, `xquad/` and `chnsenticorp/`; without `--data` it
is taken from the environment variable TF_BERTEMBED_DATA. Prints how many texts differ and, for
every kind of difference, how often it occurs and an example.
"""

import argparse
import collections
import json
import os
import sys
import unicodedata
from pathlib import Path

from tokenizers import BertWordPieceTokenizer

from tf_bertembed import text

VOCABULARIES = {"google_uncased_en": True, "google_cased_en": False, "google_zh": True}
CHUNK = 1024


def _column_texts(folder):
    for split in ("train", "dev", "test"):
        texts, _ = text.read_labelled(folder / f"{split}.tsv")
        yield from (texts if isinstance(texts, list) else texts[0] + texts[1])


def _squad_texts(path):
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            yield paragraph["context"]
            yield from (question["question"] for question in paragraph["qas"])


def read_texts(data):
    """The different texts of each data set, in the order of the files."""
    sets = {
        "sst2": _column_texts(data / "sst2"),
        "stsb-en": _column_texts(data / "stsb-en"),
        "xquad-en": _squad_texts(data / "xquad" / "en.json"),
        "xquad-zh": _squad_texts(data / "xquad" / "zh.json"),
        "chnsenticorp": _column_texts(data / "chnsenticorp"),
    }
    return {name: list(dict.fromkeys(texts)) for name, texts in sets.items()}


class Pair:
    """The two tokenizers of one vocabulary."""

    def __init__(self, path, lowercase):
        self.vocabulary = text.load_vocabulary(path)
        self.ours = text.BertEmbedTokenizer(self.vocabulary, lowercase=lowercase)
        self.theirs = BertWordPieceTokenizer(str(path), lowercase=lowercase)

    def pieces(self, texts):
        """Both answers for each text, as pairs of lists of ids."""
        for begin in range(0, len(texts), CHUNK):
            chunk = texts[begin : begin + CHUNK]
            ours = self.ours.tokenize(chunk).to_list()
            theirs = self.theirs.encode_batch(chunk, add_special_tokens=False)
            yield from zip(ours, (encoding.ids for encoding in theirs), strict=True)

    def differing(self, texts):
        """The texts on which the two differ."""
        return [t for t, (a, b) in zip(texts, self.pieces(texts), strict=True) if a != b]

    def explain(self, sentences):
        """Yield (kind, part that shows it) for every kind of difference in each text."""
        for sentence in sentences:
            parts = self.differing(sentence.split(" ")) or [sentence]
            for part in parts:
                special = [token for token in text.SPECIAL_TOKENS if token in part]
                probes = [f"a{character}b" for character in dict.fromkeys(part)]
                kinds = [f"{token} in the text" for token in special]
                kinds += map(_kind, self.differing(probes))
                for kind in kinds or ["not explained by one character"]:
                    yield kind, part

    def show(self, part):
        """What both make of a part, as strings."""
        (ours, theirs), *_ = self.pieces([part])
        return [" ".join(self.vocabulary[i] for i in ids[:12]) for ids in (ours, theirs)]


def _kind(probe):
    character = probe[1:-1]
    name, category = unicodedata.name(character, "no name"), unicodedata.category(character)
    return f"U+{ord(character):04X} {name} ({category})"


def compare(data, vocabularies=VOCABULARIES):
    """Yield (vocabulary, data set, number of texts, those that differ, pair)."""
    sets = read_texts(data)
    for name, lowercase in vocabularies.items():
        pair = Pair(data / "vocabularies" / f"{name}.txt", lowercase)
        for data_set, texts in sets.items():
            yield name, data_set, len(texts), pair.differing(texts), pair


def main():
    """Print the table and the kinds of difference."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", default=os.environ.get("TF_BERTEMBED_DATA"))
    arguments = parser.parse_args()
    if not arguments.data:
        print("Skipped: pass --data FOLDER or set TF_BERTEMBED_DATA.", file=sys.stderr)
        return 2
    print(f"{'vocabulary':20}{'data set':16}{'texts':>8}{'differ':>8}")
    for name, data_set, count, differing, pair in compare(Path(arguments.data)):
        print(f"{name:20}{data_set:16}{count:8}{len(differing):8}", flush=True)
        kinds, examples = collections.Counter(), {}
        for kind, part in pair.explain(differing):
            kinds[kind] += 1
            examples.setdefault(kind, part)
        for kind, times in kinds.most_common():
            ours, theirs = pair.show(examples[kind])
            print(f"    {times} x {kind}: {examples[kind]!r:.60}")
            print(f"        here: {ours}\n        tokenizers: {theirs}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
