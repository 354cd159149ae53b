"""Parquet files read a batch at a time, where one bad string fails alone."""

import contextlib

from tf_bertembed.common import FileFormatError, MissingPackageError


def import_arrow(purpose):
    """Import pyarrow, or say what needs it.

    Args:
        purpose: string. What needs it.

    Returns:
        The module, with `ipc` and `parquet` loaded.

    Raises:
        MissingPackageError: where it is not installed.
    """
    try:
        import pyarrow
        import pyarrow.ipc
        import pyarrow.parquet
    except ImportError as error:
        raise MissingPackageError(["pyarrow"], purpose) from error
    return pyarrow


def open_parquet(source, path, **options):
    """Open a Parquet file.

    Args:
        source: path, or binary file that can seek.
        path: string or `pathlib.Path`. What to call it in messages.
        **options: as for `pyarrow.parquet.ParquetFile`.

    Returns:
        A `pyarrow.parquet.ParquetFile`.

    Raises:
        MissingPackageError: where pyarrow is not installed.
        FileFormatError: where it is no Parquet file.
    """
    arrow = import_arrow("Reading Parquet files")
    with _telling(arrow, path, "A Parquet file was expected"):
        return arrow.parquet.ParquetFile(source, **options)


def column_problem(file, text_column, id_column=None):
    """Tell why texts or ids cannot be read from the columns that are there.

    Args:
        file: what `open_parquet` gave.
        text_column: string. The column of the texts.
        id_column: string. The column of the ids, strings or whole numbers;
            `None` for none.

    Returns:
        A string for an error; `None` where nothing is wrong with those of the
        two that are there.
    """
    types = import_arrow("Reading Parquet files").types
    schema = file.schema_arrow
    for name, numbers in ((text_column, False), (id_column, True)):
        count = schema.names.count(name)
        if count > 1:
            return f"{count} columns are named `{name}`; one was expected."
        if not count:
            continue
        kind = schema.field(name).type
        kind = kind.value_type if types.is_dictionary(kind) else kind
        strings = types.is_string(kind) or types.is_large_string(kind)
        if not (strings or types.is_string_view(kind) or (numbers and types.is_integer(kind))):
            expected = "strings or whole numbers" if numbers else "strings"
            return f"`{name}` must hold {expected}. Received: {kind}."
    return None


def read_columns(file, path, names, batch_rows, row_groups=None):
    """Read rows, of which no more than a batch is held.

    Args:
        file: what `open_parquet` gave.
        path: string or `pathlib.Path`. What to call it in messages.
        names: list of distinct strings. The columns.
        batch_rows: int. The rows of a batch.
        row_groups: list of ints. The row groups to read; `None` for all.

    Yields:
        Tuples of Python's values in the order of `names`; bytes in the place
        of a string that is not UTF-8.

    Raises:
        FileFormatError: where the data is broken.
    """
    arrow = import_arrow("Reading Parquet files")
    with _telling(arrow, path, "The Parquet data is broken"):
        for batch in file.iter_batches(batch_rows, row_groups=row_groups, columns=names):
            yield from zip(*(_values(batch.column(name)) for name in names), strict=True)


@contextlib.contextmanager
def _telling(arrow, path, problem):
    try:
        yield
    except (arrow.ArrowException, OSError) as error:
        # Arrow tells of damage by an OSError without a number. Those of disks and networks, which
        # may do better when asked again, have one or are of a kind of their own.
        if isinstance(error, OSError) and not (type(error) is OSError and error.errno is None):
            raise
        told = " ".join(str(error).split())
        raise FileFormatError(path, f"{problem}: {told}") from error


def _values(column):
    try:
        return column.to_pylist()
    except UnicodeDecodeError:
        # Arrow does not look whether its strings are UTF-8.
        return [_value(one) for one in column]


def _value(scalar):
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        return scalar.as_buffer().to_pybytes()
