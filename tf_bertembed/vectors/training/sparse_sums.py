"""A sum of sparse matrices that goes to disk where memory would not hold it."""

import contextlib
import tempfile

import numpy as np
from scipy import sparse

COUNT = np.dtype(np.float64)
PLACE = np.dtype(np.int32)


class SparseSum:
    """Adds sparse matrices; what is more than memory should hold waits on disk.

    The files have no name, so nothing is left of them when the process ends,
    however it ends. To be used in a `with`.

    Args:
        size: int. The number of rows, and of columns.
        bound: int. The bytes that the sum may take while matrices are added.
        symmetric: bool. Whether the transpose is added too.
        folder: string or `pathlib.Path`. Where the files go; `None` for the
            system's folder of temporary files.
    """

    def __init__(self, size, bound, symmetric=False, folder=None):
        self.size = size
        # Adding a matrix's transpose needs its size four times.
        self.bound = bound // 4
        self.symmetric = symmetric
        self.folder = folder
        self._held = []
        self._runs = []
        self._files = contextlib.ExitStack()
        self._spilled = None

    @property
    def spills(self):
        """How often memory was full."""
        return len(self._runs)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._files.close()

    def add(self, matrix):
        """Add a matrix.

        Args:
            matrix: scipy `csr_matrix` of shape `[size, size]`, float64.
        """
        self._held.append(matrix)
        # Each is more than twice as big as the next, so no number is added more than a few times.
        while len(self._held) > 1 and self._held[-2].nnz < 2 * self._held[-1].nnz:
            last = self._held.pop()
            self._held[-1] = self._held[-1] + last
        if sum(map(_bytes, self._held)) > self.bound:
            self._spill()

    def total(self):
        """The sum of all that was added.

        Returns:
            A scipy `csr_matrix`, float64, its columns sorted in each row.
        """
        if not self._runs:
            return self._take()
        if self._held:
            self._spill()
        return self._merged()

    def _take(self):
        matrix = sparse.csr_matrix((self.size, self.size), dtype=COUNT)
        while self._held:
            matrix = matrix + self._held.pop()
        if self.symmetric:
            matrix = matrix + matrix.T.tocsr()
        matrix.sort_indices()
        return matrix

    def _open(self):
        return self._files.enter_context(tempfile.TemporaryFile(dir=self.folder))

    def _spill(self):
        if self._spilled is None:
            self._spilled = (self._open(), self._open())
        matrix = self._take()
        start = sum(ends[-1] for _, ends in self._runs)
        matrix.indices.astype(PLACE, copy=False).tofile(self._spilled[0])
        matrix.data.tofile(self._spilled[1])
        self._runs.append((start, matrix.indptr.astype(np.int64)))

    def _merged(self):
        places, counts = self._open(), self._open()
        ends = [np.zeros(1, np.int64)]
        before = 0
        for first, last in self._row_blocks():
            block = sparse.csr_matrix((last - first, self.size), dtype=COUNT)
            for start, run in self._runs:
                block = block + self._read(start, run[first : last + 1])
            block.sort_indices()
            block.indices.astype(PLACE, copy=False).tofile(places)
            block.data.tofile(counts)
            ends.append(block.indptr[1:].astype(np.int64) + before)
            before += block.nnz
        for file in (places, counts):
            file.seek(0)
        return sparse.csr_matrix(
            (
                np.fromfile(counts, COUNT, before),
                np.fromfile(places, PLACE, before),
                np.concatenate(ends),
            ),
            shape=(self.size, self.size),
        )

    def _row_blocks(self):
        # As many rows at a time as fit, going by what all runs together hold of them.
        filled = sum(run for _, run in self._runs)
        most = max(self.bound // (COUNT.itemsize + PLACE.itemsize), 1)
        first = 0
        while first < self.size:
            last = int(np.searchsorted(filled, filled[first] + most, side="right")) - 1
            last = min(max(last, first + 1), self.size)
            yield first, last
            first = last

    def _read(self, start, ends):
        number = int(ends[-1] - ends[0])
        parts = []
        for file, kind in zip(self._spilled, (PLACE, COUNT), strict=True):
            file.seek((start + int(ends[0])) * kind.itemsize)
            parts.append(np.fromfile(file, kind, number))
        return sparse.csr_matrix(
            (parts[1], parts[0], ends - ends[0]), shape=(len(ends) - 1, self.size)
        )


def _bytes(matrix):
    return matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes
