"""The files that a user gets: vectors as `.npy`, Parquet or Arrow, ids, and rows that failed."""

import os

from tf_bertembed.common import BertEmbedError, OutputExistsError
from tf_bertembed.probe.file_embedding.tables import IDS, TABLE, TABLES
from tf_bertembed.probe.file_embedding.unfinished import sync_folder
from tf_bertembed.probe.file_embedding.vectors import VECTORS
from tf_bertembed.text.parquet_files import import_arrow

# As they are called while they grow.
FAILED = "failed.jsonl"
REMEDY = "Choose another place, or pass `overwrite=True` (--force) to replace it."


class Outputs:
    """The output and what stands beside it.

    Args:
        output: `pathlib.Path`. The file of the vectors.
        with_ids: bool. Whether the input has ids of its own.

    Raises:
        BertEmbedError: where the suffix tells no format, or a folder is there.
        MissingPackageError: where the format needs pyarrow.
    """

    def __init__(self, output, with_ids):
        if output.suffix not in (".npy", *TABLES):
            raise BertEmbedError(
                f"The output must end in .npy or {', '.join(TABLES)}. Received: {output}."
            )
        if output.is_dir():
            raise BertEmbedError(f"The output is a file, and a folder stands there: {output}.")
        self.output = output
        self.is_table = output.suffix in TABLES
        self.failed = output.with_suffix(".failed.jsonl")
        # A table has a column for them.
        self.ids = None if self.is_table else output.with_suffix(".ids.jsonl")
        self.with_ids = with_ids and not self.is_table
        if self.is_table:
            import_arrow(f"Writing {output.suffix} files")

    @property
    def _places(self):
        return [path for path in (self.failed, self.ids, self.output) if path is not None]

    def check_free(self, input_path, overwrite):
        """Raise where one of the files would take the place of another file.

        Args:
            input_path: `pathlib.Path`. What must stay, whatever is said.
            overwrite: bool. Whether others may be replaced.
        """
        for path in self._places:
            if path.exists() and path.samefile(input_path):
                raise BertEmbedError(
                    f"The output would replace the input. Received for both: {path}."
                )
            if path.exists() and not overwrite:
                raise OutputExistsError(path, REMEDY)

    def place(self, folder, failures, overwrite):
        """Move the files to their places, those that a killed process has not yet moved.

        Args:
            folder: `pathlib.Path`. Where they grew.
            failures: int. The number of rows that failed.
            overwrite: bool. Whether to replace what is there.
        """
        if not failures:
            (folder / FAILED).unlink(missing_ok=True)
        # What an earlier run left would speak of the rows of this one.
        stale = [self.failed] * (not failures) + [self.ids] * (not self.with_ids)
        for path in stale if overwrite else ():
            if path is not None:
                path.unlink(missing_ok=True)
        moves = [(FAILED, self.failed), (IDS, self.ids)]
        moves.append((TABLE if self.is_table else VECTORS, self.output))
        for name, path in moves:
            if path is not None and (folder / name).exists():
                _move(folder / name, path, overwrite)
        sync_folder(self.output.parent)


def _move(fresh, path, overwrite):
    if overwrite:
        os.replace(fresh, path)
        return
    try:
        # Unlike renaming, this never takes the place of what is there.
        os.link(fresh, path)
    except FileExistsError as error:
        if not fresh.samefile(path):
            raise OutputExistsError(path, REMEDY) from error
    fresh.unlink()
