"""What stands beside an output that is not finished, for one process at a time to go on with."""

import contextlib
import errno
import fcntl
import json
import os
from pathlib import Path

from tf_bertembed.common import BertEmbedError, FileFormatError, make_folder, read_json

STATE, LOCK = "state.json", "lock"
FORMAT = 1


class UnfinishedFile:
    """The folder `.NAME.unfinished` beside an output that is being made.

    It holds files that grow by one window of rows after the other, and a file
    that says how far each of them counts. What a killed process wrote beyond
    that is cut off by the next one. One process has the folder at a time: the
    lock ends with the process, however that ends.

    Args:
        output: string or `pathlib.Path`. The file that is to be made.

    Raises:
        BertEmbedError: where another process has the folder.
        FileFormatError: where its state cannot be read.
    """

    def __init__(self, output):
        output = Path(output)
        self.output = output
        self.folder = output.parent / f".{output.name}.unfinished"
        self._removed = False
        self._lock = _locked(self.folder, output)
        try:
            self.state = self._read()
        except BaseException:
            self.close()
            raise

    def _read(self):
        path = self.folder / STATE
        if not path.exists():
            return None
        state = read_json(path)
        if state.get("format") != FORMAT:
            raise FileFormatError(
                path,
                f"The unfinished work is of another version. Received: {state.get('format')!r}; "
                f"expected: {FORMAT}. Begin anew with --restart.",
            )
        return state

    def close(self):
        """Let others have the folder; remove it where nothing in it counts."""
        if not self._removed and not (self.folder / STATE).exists():
            self.remove()
        os.close(self._lock)

    def clear(self):
        """Begin anew."""
        # First, so that a kill in between leaves nothing that counts.
        (self.folder / STATE).unlink(missing_ok=True)
        self._remove_files()
        self.state = None

    def remove(self):
        """Remove the folder."""
        # The state after the others, so that a kill in between leaves word of what is done.
        self._remove_files()
        (self.folder / STATE).unlink(missing_ok=True)
        (self.folder / LOCK).unlink()
        self._removed = True
        try:
            self.folder.rmdir()
        except OSError as error:
            # Once the lock is gone another process may begin there.
            if error.errno != errno.ENOTEMPTY:
                raise

    def _remove_files(self):
        for path in self.folder.iterdir():
            if path.name not in (STATE, LOCK):
                path.unlink()

    def open(self, name):
        """Open one of the files at the end of what counts of it.

        Args:
            name: string. Its name in the folder.

        Returns:
            A binary file.

        Raises:
            FileFormatError: where it holds less than it should.
        """
        path = self.folder / name
        size = 0 if self.state is None else self.state["sizes"].get(name, 0)
        if size and not (path.exists() and path.stat().st_size >= size):
            raise FileFormatError(
                path, "The unfinished work is damaged: the file is too short. Use --restart."
            )
        file = open(path, "r+b" if path.exists() else "w+b")  # noqa: SIM115
        file.truncate(size)
        file.seek(size)
        return file

    def commit(self, state, files=()):
        """Put on disk what was written to files, and then that it counts.

        Args:
            state: dict that JSON can hold. What to know after a kill.
            files: dict from names to open files.
        """
        sizes = dict(self.state["sizes"]) if self.state else {}
        for name, file in dict(files).items():
            file.flush()
            os.fsync(file.fileno())
            sizes[name] = file.tell()
        self.state = {**state, "format": FORMAT, "sizes": sizes}
        fresh = self.folder / f"{STATE}.fresh"
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(self.state, file, indent=2, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, self.folder / STATE)
        sync_folder(self.folder)


def sync_folder(folder):
    """Put the names in a folder on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _locked(folder, output):
    path = folder / LOCK
    while True:
        make_folder(folder)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:
            # Another process has just finished with the folder.
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise BertEmbedError(
                f"Another process is writing {output} now. Wait until it has ended, or choose "
                "another --output."
            ) from error
        except BaseException:
            os.close(descriptor)
            raise
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return descriptor
        os.close(descriptor)
