"""An `.npy` file that rows are added to."""

import os

import numpy as np

VECTORS = "vectors.npy"


def begin_vectors(file, dimensions):
    """Write the head of an `.npy` file that rows are added to.

    Args:
        file: binary file at its beginning.
        dimensions: int. The width of a row.
    """
    _write_header(file, 0, dimensions)


def end_vectors(path, rows, dimensions):
    """Write the number of rows into the head of an `.npy` file.

    Args:
        path: `pathlib.Path`. The file.
        rows: int. How many rows it holds.
        dimensions: int. The width of a row.
    """
    with path.open("r+b") as file:
        # NumPy leaves room in the head for any number of rows.
        _write_header(file, rows, dimensions)
        os.fsync(file.fileno())


def _write_header(file, rows, dimensions):
    about = {"descr": "<f4", "fortran_order": False, "shape": (rows, dimensions)}
    np.lib.format.write_array_header_1_0(file, about)


def read_vectors(file, dimensions, windows):
    """Read the rows of an `.npy` file, some at a time.

    Args:
        file: binary file at its beginning.
        dimensions: int. The width of a row.
        windows: iterable of ints. How many rows to read next.

    Yields:
        Arrays `[rows, dimensions]`, float32.
    """
    np.lib.format.read_magic(file)
    np.lib.format.read_array_header_1_0(file)
    for rows in windows:
        yield np.fromfile(file, "<f4", rows * dimensions).reshape(rows, dimensions)
