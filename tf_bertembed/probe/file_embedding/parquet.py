"""Rows of Parquet files."""

from tf_bertembed.common import FileFormatError, require_file
from tf_bertembed.text.parquet_files import column_problem, open_parquet, read_columns

MAGIC = b"PAR1"
BATCH = 4096
# Else a whole column of a row group is read at once.
BUFFER = 1 << 20


class ParquetRows:
    """The rows of a Parquet file, of which no more than a batch is held.

    Args:
        path: `pathlib.Path`. The file.
        columns: a `Columns`.

    Raises:
        MissingPackageError: where pyarrow is not installed.
        MissingFileError: where there is no such file.
        FileFormatError: where it is no Parquet file, or lacks the columns.
    """

    def __init__(self, path, columns):
        self.path = require_file(path)
        self.position = 0
        self._columns = columns
        self._file = open_parquet(path, path, buffer_size=BUFFER)
        try:
            self._check_columns()
        except BaseException:
            self._file.close()
            raise

    @property
    def total(self):
        """The number of rows."""
        return self._file.metadata.num_rows

    def close(self):
        """Close the file."""
        self._file.close()

    def __iter__(self):
        names = list(dict.fromkeys(name for name in self._columns if name is not None))
        for values in read_columns(self._file, self.path, names, BATCH):
            self.position += 1
            yield self._columns.row(None, dict(zip(names, values, strict=True)))

    def _check_columns(self):
        problem = self._columns.missing(self._file.schema_arrow.names)
        problem = problem or column_problem(self._file, *self._columns)
        if problem:
            raise FileFormatError(self.path, problem)
