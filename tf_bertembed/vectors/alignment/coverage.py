"""How much of a vocabulary has a word vector, and by which way."""

import dataclasses
from pathlib import Path

import numpy as np

from tf_bertembed import common

MEANING = {
    "special": "drawn at random; [PAD] is zeros",
    "exact": "the piece is a word",
    "cased": "a word that differs in case only",
    "normalised": "a word that differs in case or accents",
    "rescaled": "mean of the words that contain it, at the usual length",
    "ngrams": "mean of its n-grams",
    "least-squares": "fitted to the words that contain it",
    "neighbours": "mean of the pieces beside it",
    "composed": "mean of the words that contain it",
    "missing": "no word contains it; drawn at random",
}
# Named only where they were asked for.
OPTIONAL = ("rescaled", "ngrams", "least-squares", "neighbours")
EXAMPLES = 4
IMAGES = (".png", ".pdf", ".svg")


@dataclasses.dataclass(frozen=True)
class Coverage:
    """How the pieces of a vocabulary got their vectors, counted by method.

    `str()` gives a table with a few examples of each method, frequent pieces
    first where occurrences are known.

    Args:
        pieces: tuple of strings. The vocabulary, V pieces.
        methods: tuple of strings. How each piece got its vector; the names
            are described at `Alignment`.
        sources: tuple of strings. The word, or the heaviest of the words, that
            each piece got its vector from; `""` where there is none.
        occurrences: tuple of ints. How often each piece occurs in a corpus;
            `None` where that is not known.

    Example:

    ```python
    from gensim.test.utils import datapath
    from tf_bertembed import vectors

    glove = vectors.load(datapath("test_glove.txt"))
    coverage = vectors.align(glove, ["[PAD]", "The", "of", "##dnt"]).coverage
    assert coverage.counts["exact"] == 1 and coverage.shares["cased"] == 0.25
    seen = coverage.with_occurrences({"The": 30, "of": 60, "##dnt": 10})
    assert seen.occurrence_shares["exact"] == 0.6
    print(seen)
    ```
    """

    pieces: tuple
    methods: tuple
    sources: tuple
    occurrences: tuple | None = None

    @property
    def counts(self):
        """Dict of each method and its number of pieces."""
        counts = {method: self.methods.count(method) for method in MEANING}
        return {name: count for name, count in counts.items() if count or name not in OPTIONAL}

    @property
    def shares(self):
        """Dict of each method and its share of the pieces, a fraction of 1."""
        return {method: count / len(self.pieces) for method, count in self.counts.items()}

    @property
    def occurrence_counts(self):
        """Dict of each method and the occurrences of its pieces, or `None`."""
        if self.occurrences is None:
            return None
        totals = dict.fromkeys(self.counts, 0)
        for method, count in zip(self.methods, self.occurrences, strict=True):
            totals[method] += count
        return totals

    @property
    def occurrence_shares(self):
        """Dict of each method and its share of all occurrences, or `None`."""
        totals = self.occurrence_counts
        if totals is None:
            return None
        return {method: count / sum(totals.values()) for method, count in totals.items()}

    def with_occurrences(self, occurrences):
        """Weigh the pieces by how often they occur in a corpus.

        Args:
            occurrences: mapping of strings to ints, the pieces and how often
                each occurs (0 where a piece is left out); or a sequence of V
                ints in the order of the vocabulary.

        Returns:
            A `Coverage` that also has `occurrence_counts` and
            `occurrence_shares`.

        Raises:
            BertEmbedError: where the counts do not fit the vocabulary, are
                negative, or are all 0.
        """
        if hasattr(occurrences, "keys"):
            strange = sorted(set(occurrences) - set(self.pieces))[:3]
            if strange:
                raise common.BertEmbedError(
                    f"`occurrences` names pieces that are not in the vocabulary. "
                    f"Received: {', '.join(map(repr, strange))}."
                )
            occurrences = [occurrences.get(piece, 0) for piece in self.pieces]
        counts = np.asarray(occurrences)
        if counts.shape != (len(self.pieces),):
            raise common.BertEmbedError(
                f"`occurrences` must have one count for each of the {len(self.pieces)} pieces. "
                f"Received shape: {counts.shape}."
            )
        if counts.min() < 0 or not counts.any():
            raise common.BertEmbedError(
                "`occurrences` must be counts from 0, with one above 0 among them. "
                f"Received: {counts.min()} to {counts.max()}."
            )
        return dataclasses.replace(self, occurrences=tuple(counts.tolist()))

    def examples(self, method):
        """Name a few pieces that got their vector in one way.

        Args:
            method: string. One of the methods.

        Returns:
            A list of strings, each a piece and, where it differs, the word
            that the vector comes from.

        Example:

        ```python
        from gensim.test.utils import datapath
        from tf_bertembed import vectors

        glove = vectors.load(datapath("test_glove.txt"))
        coverage = vectors.align(glove, ["[PAD]", "The", "of"]).coverage
        assert coverage.examples("cased") == ["The < the"]
        ```
        """
        rows = [row for row, name in enumerate(self.methods) if name == method]
        if self.occurrences is not None:
            rows.sort(key=lambda row: -self.occurrences[row])
        return [
            self.pieces[row]
            if self.sources[row] in ("", self.pieces[row])
            else f"{self.pieces[row]} < {self.sources[row]}"
            for row in rows[:EXAMPLES]
        ]

    def to_dict(self):
        """Give the numbers as plain values, for JSON.

        Returns:
            A dict with `pieces` (int) and, for each method, a dict of `count`
            (int), `share` (fraction of 1), `examples` (list of strings) and,
            where occurrences are known, `occurrences` (int) and
            `occurrence_share` (fraction of 1).

        Example:

        ```python
        from gensim.test.utils import datapath
        from tf_bertembed import vectors

        glove = vectors.load(datapath("test_glove.txt"))
        numbers = vectors.align(glove, ["[PAD]", "of"]).coverage.to_dict()
        assert numbers["pieces"] == 2 and numbers["methods"]["exact"]["count"] == 1
        ```
        """
        counts, shares = self.counts, self.shares
        found = {
            method: {
                "count": counts[method],
                "share": shares[method],
                "examples": self.examples(method),
            }
            for method in counts
        }
        if self.occurrences is not None:
            totals, parts = self.occurrence_counts, self.occurrence_shares
            for method, row in found.items():
                row |= {"occurrences": totals[method], "occurrence_share": parts[method]}
        return {"pieces": len(self.pieces), "methods": found}

    def plot(self, path, overwrite=False):
        """Draw the share of each method in the pieces, and in the text where that is known.

        Args:
            path: string or `pathlib.Path`. The image to write: `.png`, `.pdf`
                or `.svg`.
            overwrite: bool. Whether to replace a file that is there.

        Raises:
            BertEmbedError: where the name ends otherwise.
            OutputExistsError: where `path` exists and `overwrite` is False.

        Example:

        ```python
        from gensim.test.utils import datapath
        from tf_bertembed import vectors

        glove = vectors.load(datapath("test_glove.txt"))
        coverage = vectors.align(glove, ["[PAD]", "The", "of"]).coverage
        coverage.plot("coverage.png")
        ```
        """
        kind = Path(path).suffix.lower()
        if kind not in IMAGES:
            raise common.BertEmbedError(
                f"A plot is written as {', '.join(IMAGES)}. Received: {str(path)!r}."
            )
        from matplotlib.figure import Figure

        bars = {"pieces of the vocabulary": self.shares}
        if self.occurrences is not None:
            bars["occurrences in the text"] = self.occurrence_shares
        methods = list(self.counts)
        height = 0.8 / len(bars)
        figure = Figure(figsize=(7, 1.4 + 0.45 * len(methods)), layout="constrained")
        axis = figure.subplots()
        for place, (label, shares) in enumerate(bars.items()):
            centres = np.arange(len(methods)) + (place - (len(bars) - 1) / 2) * height
            drawn = axis.barh(centres, [shares[method] for method in methods], height, label=label)
            axis.bar_label(drawn, [f"{shares[method]:.4f}" for method in methods], padding=3)
        axis.set_yticks(range(len(methods)), [f"{name}: {MEANING[name]}" for name in methods])
        axis.invert_yaxis()
        axis.set(xlabel="share", xlim=(0, 1.15), title="Where the vectors of pieces come from")
        axis.set_xticks(np.linspace(0, 1, 6))
        axis.grid(axis="x", alpha=0.3)
        if len(bars) > 1:
            figure.legend(loc="outside lower center", ncols=2)
        with common.atomic_path(path, overwrite) as place:
            figure.savefig(place, dpi=120, format=kind[1:])

    def __str__(self):
        counts, shares, parts = self.counts, self.shares, self.occurrence_shares
        width = max(10, *map(len, counts))
        head = f"{'method':<{width}} {'pieces':>8} {'share':>7}"
        if parts:
            head += f" {'of text':>7}"
        lines = [f"{head}  how, and examples"]
        for method in counts:
            line = f"{method:<{width}} {counts[method]:>8} {shares[method]:>7.4f}"
            if parts:
                line += f" {parts[method]:>7.4f}"
            examples = self.examples(method)
            line += f"  {MEANING[method]}{': ' if examples else ''}{', '.join(examples)}"
            lines.append(line)
        return "\n".join(lines)
