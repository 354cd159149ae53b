"""Each piece of a new vocabulary as a mix of the pieces of an old one."""

import dataclasses

import numpy as np
from scipy import sparse

from tf_bertembed import common
from tf_bertembed.vectors import wordpiece

WAYS = {
    "copied": "the same piece",
    "cased": "the same piece in another case or with other accents",
    "mixed": "a mix of pieces with like word vectors",
    "mean": "the mean of the old pieces that it is cut into",
    "random": "drawn like an old piece",
}
COPIED = ("copied", "cased")
EXAMPLES = 4


@dataclasses.dataclass(frozen=True)
class PieceMixture:
    """How the rows of a new vocabulary are made of the rows of an old one.

    `vectors.mix_pieces` makes it; `models.transfer_vocabulary` applies it.

    Args:
        pieces: list of V strings. The new vocabulary.
        old_pieces: list of U strings. The old vocabulary.
        ways: list of V strings. How each new piece gets its row: `"copied"`
            from the same piece, `"cased"` from one that differs in case or
            accents, `"mixed"` of pieces that are near by their word vectors,
            `"mean"` of the old pieces that it is cut into, or `"random"`.
        weights: `scipy.sparse.csr_matrix` `[V, U]`. The shares of the old
            pieces; rows sum to 1, those of `"random"` are empty.

    Example:

    ```python
    import numpy as np
    from tf_bertembed import text, vectors

    old = [*text.SPECIAL_TOKENS, "one", "two", "##s"]
    new = [*text.SPECIAL_TOKENS, "twos", "One", "##s", "λ"]
    mixture = vectors.mix_pieces(old, new, "mean")
    assert mixture.ways[5:] == ["mean", "cased", "copied", "random"]
    table = np.random.default_rng(0).normal(size=(8, 4))
    mixed = mixture.mix(table)
    assert (mixed[6] == table[5]).all() and np.allclose(mixed[5], table[6:8].mean(0))
    assert mixture.examples("mean") == ["twos < two ##s"]
    assert mixture.to_dict()["random"]["count"] == 1
    ```
    """

    pieces: list
    old_pieces: list
    ways: list
    weights: sparse.csr_matrix

    def mix(self, table, seed=0):
        """Make the rows of the new vocabulary out of those of the old one.

        Copied rows are the same to the last bit. Random ones are drawn from a
        normal distribution with the mean and deviation that each component
        has over the old pieces, special tokens aside.

        Args:
            table: array of shape `[U, ...]`, float. Rows past U, which some
                tables have for the sake of their size, are left out.
            seed: int. Draws the random rows.

        Returns:
            An array of shape `[V, ...]` of the table's type.

        Raises:
            BertEmbedError: where the table has fewer rows than there are old
                pieces.
        """
        table = np.asarray(table)
        if table.ndim < 1 or len(table) < len(self.old_pieces):
            raise common.BertEmbedError(
                f"A table with a row for each of the {len(self.old_pieces)} old pieces was "
                f"expected. Received: shape {table.shape}."
            )
        table = table[: len(self.old_pieces)]
        ways = np.array(self.ways)
        copied, drawn = np.isin(ways, COPIED), ways == "random"
        mixed = ~copied & ~drawn
        found = np.empty((len(self.pieces), *table.shape[1:]), table.dtype)
        found[copied] = table[self.weights[copied].indices]
        flat = table.reshape(len(table), -1)
        found[mixed] = (self.weights[mixed] @ flat).reshape(-1, *table.shape[1:])
        if drawn.any():
            plain = [i for i, p in enumerate(self.old_pieces) if not wordpiece.SPECIAL.fullmatch(p)]
            generator = np.random.default_rng(common.derive_seed(seed, "mix_pieces"))
            noise = generator.standard_normal((drawn.sum(), *table.shape[1:]))
            found[drawn] = table[plain].mean(axis=0) + noise * table[plain].std(axis=0)
        return found

    @property
    def counts(self):
        """Dict of each way and its number of new pieces."""
        return {way: self.ways.count(way) for way in WAYS}

    def examples(self, way):
        """Name a few new pieces that get their rows in one way.

        Args:
            way: string. One of the ways.

        Returns:
            A list of strings: the piece and, where it is not copied, the old
            pieces of most weight.
        """
        rows = [
            row
            for row, found in enumerate(self.ways)
            if found == way and not wordpiece.SPECIAL.fullmatch(self.pieces[row])
        ]
        return [self._example(row) for row in rows[:EXAMPLES]]

    def _example(self, row):
        part = self.weights[row]
        if self.ways[row] == "copied" or not part.nnz:
            return self.pieces[row]
        heaviest = part.indices[np.argsort(-part.data, kind="stable")[:3]]
        # The parts of a word are told in their order, which is that of the weights' making.
        names = " ".join(self.old_pieces[index] for index in heaviest)
        return f"{self.pieces[row]} < {names}{' ...' if part.nnz > 3 else ''}"

    def to_dict(self, occurrences=None):
        """The pieces counted by way, ready for JSON.

        Args:
            occurrences: array of V numbers. How often each new piece occurs in
                a corpus; `None` where that is not known.

        Returns:
            A dict of each way and a dict of its `count`, `share`, `examples`
            and, with `occurrences`, `occurrence_share`.
        """
        total = 0 if occurrences is None else np.sum(occurrences)
        found = {}
        for way, count in self.counts.items():
            row = {"count": count, "share": count / len(self.pieces)}
            if total:
                here = np.array([name == way for name in self.ways])
                row["occurrence_share"] = float(np.asarray(occurrences)[here].sum() / total)
            found[way] = {**row, "examples": self.examples(way)}
        return found
