"""Vectors of texts on disk, for any number of processes at a time."""

import contextlib
import hashlib
import sqlite3
import zlib
from pathlib import Path

import numpy as np

from tf_bertembed.common import (
    BertEmbedError,
    FileFormatError,
    OutputExistsError,
    atomic_path,
)

# "bert", which `file` and SQLite's own shell show.
APPLICATION, FORMAT = 0x62657274, 1
# Vectors take kilobytes: larger pages hold several without waste.
PAGE_BYTES = 16384
# Texts that one query asks for; SQLite before 2020 takes 999.
ASKED = 512
# Seconds that a process waits while another one writes.
PATIENCE = 60
REMEDY = "Remove it, and its vectors are computed anew."

_TABLES = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE vectors (text BLOB PRIMARY KEY, vector BLOB NOT NULL, checksum INTEGER NOT NULL);
"""


def text_keys(texts):
    """The number of each text by which its vector is kept: 16 bytes each."""
    return [hashlib.blake2b(text.encode(), digest_size=16).digest() for text in texts]


class VectorCache:
    """The vectors of one model under one setting: a SQLite file in a folder.

    Processes may read and write it at the same time, and be killed: what was
    written is there whole or not at all. Each vector has a checksum. No
    connection is held between calls, so that threads and forks may share it.
    SQLite's write-ahead log needs a folder on a disk of this machine.

    Args:
        folder: string or `pathlib.Path`. The folder; made where it is not.
        fingerprint: string. The number of model and settings, see
            `model_files.fingerprint`.
        about: dict of strings. What to note in the file for its readers.

    Raises:
        FileFormatError: where the file is damaged, or of another program,
            model or format.
        BertEmbedError: where it cannot be read or written.
    """

    def __init__(self, folder, fingerprint, about=None):
        self.fingerprint = fingerprint
        self._seed = zlib.crc32(fingerprint.encode())
        self.path = Path(folder).absolute() / f"{fingerprint[:32]}.sqlite"
        if not self.path.exists():
            self._create({**(about or {}), "fingerprint": fingerprint})
        with self._connected() as connection:
            # Told now, and not when vectors have been computed in vain.
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")

    @property
    def dimensions(self):
        """The width of the vectors; `None` as long as there is none."""
        with self._connected() as connection:
            row = connection.execute("SELECT vector FROM vectors LIMIT 1").fetchone()
        return None if row is None else len(row[0]) // 4

    def __len__(self):
        with self._connected() as connection:
            return connection.execute("SELECT count(*) FROM vectors").fetchone()[0]

    def read(self, keys):
        """Look vectors up.

        Args:
            keys: list of distinct bytes, as `text_keys` gives them.

        Returns:
            A pair: the places in `keys` of those found, int64 `[F]`, and
            their vectors, float32 `[F, D]`.
        """
        rows = []
        with self._connected() as connection:
            for begin in range(0, len(keys), ASKED):
                asked = keys[begin : begin + ASKED]
                marks = ",".join("?" * len(asked))
                rows += connection.execute(
                    f"SELECT text, vector, checksum FROM vectors WHERE text IN ({marks})", asked
                ).fetchall()
        width = len(rows[0][1]) if rows else 0
        for key, vector, checksum in rows:
            if len(vector) != width or checksum != self._checksum(key, vector):
                raise FileFormatError(
                    self.path, f"The cache is damaged: a vector does not fit its sum. {REMEDY}"
                )
        order = {key: place for place, key in enumerate(keys)}
        places = np.array([order[key] for key, *_ in rows], "int64")
        found = np.frombuffer(b"".join(vector for _, vector, _ in rows), "<f4")
        return places, found.reshape(len(rows), width // 4)

    def write(self, keys, vectors):
        """Keep vectors; of a text that is there already, the one that is there.

        Args:
            keys: list of N bytes, as `text_keys` gives them.
            vectors: array `[N, D]`, float32.
        """
        vectors = np.ascontiguousarray(vectors, "<f4")
        rows = [
            (key, stored, self._checksum(key, stored))
            for key, stored in zip(keys, (row.tobytes() for row in vectors), strict=True)
        ]
        with self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?, ?)", rows)
            connection.execute("COMMIT")

    def _checksum(self, key, vector):
        return zlib.crc32(vector, zlib.crc32(key, self._seed))

    def _create(self, about):
        try:
            # Complete when it appears, whoever else makes it at the same time.
            with atomic_path(self.path) as place, self._telling():
                connection = sqlite3.connect(place, isolation_level=None)
                with contextlib.closing(connection):
                    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
                    connection.execute("PRAGMA journal_mode = WAL")
                    connection.execute(f"PRAGMA application_id = {APPLICATION}")
                    connection.execute(f"PRAGMA user_version = {FORMAT}")
                    connection.executescript(_TABLES)
                    connection.executemany("INSERT INTO about VALUES (?, ?)", about.items())
        except OutputExistsError:
            return
        except BertEmbedError:
            raise
        except OSError as error:
            raise self._unusable(error.strerror) from error

    @contextlib.contextmanager
    def _connected(self):
        with self._telling():
            # Never a new file: an empty one in the place of a lost one would be taken for it.
            where = f"{self.path.as_uri()}?mode=rw"
            connection = sqlite3.connect(where, PATIENCE, isolation_level=None, uri=True)
            with contextlib.closing(connection):
                connection.execute("PRAGMA synchronous = NORMAL")
                self._check(connection)
                yield connection

    def _check(self, connection):
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        if application != APPLICATION:
            raise FileFormatError(self.path, "A cache of vectors was expected, this is none.")
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        if found != FORMAT:
            raise FileFormatError(
                self.path,
                f"The cache is of another version of the format. Received: {found}; expected: "
                f"{FORMAT}. Choose another folder.",
            )
        query = "SELECT value FROM about WHERE name = 'fingerprint'"
        row = connection.execute(query).fetchone()
        if row is None or row[0] != self.fingerprint:
            raise FileFormatError(
                self.path, f"The cache is of another model than its name says. {REMEDY}"
            )

    @contextlib.contextmanager
    def _telling(self):
        try:
            yield
        except sqlite3.OperationalError as error:
            raise self._unusable(error) from error
        except sqlite3.DatabaseError as error:
            raise FileFormatError(self.path, f"The cache is damaged: {error}. {REMEDY}") from error

    def _unusable(self, reason):
        return BertEmbedError(
            f"The cache {self.path} cannot be read and written: {reason}. Give a folder that "
            "this process may write to, on a disk with room."
        )
