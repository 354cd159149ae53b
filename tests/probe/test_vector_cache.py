"""Vectors on disk: several processes, kills, full disks, and files that are not what they seem."""

import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from tf_bertembed.common import BertEmbedError, FileFormatError
from tf_bertembed.probe import vector_cache
from tf_bertembed.probe.vector_cache import FORMAT, VectorCache, text_keys

FINGERPRINT = "0123456789abcdef" * 4
WIDTH = 96

WRITER = """
import sys
from tests_cache_vectors import FINGERPRINT, vectors_of
from tf_bertembed.probe.vector_cache import VectorCache, text_keys
folder, begin, end, step = sys.argv[1], *map(int, sys.argv[2:])
cache = VectorCache(folder, FINGERPRINT)
print("open", flush=True)
for first in range(begin, end, step):
    texts = [f"text {i}" for i in range(first, first + step)]
    keys = text_keys(texts)
    places, found = cache.read(keys)
    assert not len(places) or (found == vectors_of(keys)[places]).all()
    cache.write(keys, vectors_of(keys))
print("done", flush=True)
"""


def vectors_of(keys):
    """Another vector for each key, which any process finds again."""
    return np.array([np.resize(np.frombuffer(key, "uint8"), WIDTH) for key in keys], "float32")


@pytest.fixture(scope="module")
def writer(tmp_path_factory):
    """Start a process that writes some of the texts 0, 1, 2 ... in batches."""
    place = tmp_path_factory.mktemp("writers")
    (place / "writer.py").write_text(WRITER)
    (place / "tests_cache_vectors.py").write_text(
        "import numpy as np\n"
        f"FINGERPRINT, WIDTH = {FINGERPRINT!r}, {WIDTH}\n"
        "def vectors_of(keys):\n"
        "    rows = [np.resize(np.frombuffer(key, 'uint8'), WIDTH) for key in keys]\n"
        "    return np.array(rows, 'float32')\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(place), *sys.path])}

    def start(folder, *numbers):
        command = [sys.executable, place / "writer.py", folder, *map(str, numbers)]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    return start


@pytest.fixture
def filled(tmp_path):
    cache = VectorCache(tmp_path / "cache", FINGERPRINT, {"model": "a model"})
    keys = text_keys([f"text {i}" for i in range(40)])
    cache.write(keys, vectors_of(keys))
    return cache, keys


def check_all(cache, texts):
    keys = text_keys(texts)
    places, found = cache.read(keys)
    assert sorted(places) == list(range(len(keys)))
    np.testing.assert_array_equal(found, vectors_of(keys)[places])


def intact(path):
    with sqlite3.connect(path) as connection:
        return connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_what_was_written_is_read(filled):
    cache, keys = filled
    assert (len(cache), cache.dimensions) == (40, WIDTH)
    unknown = text_keys(["another", ""])
    places, found = cache.read([unknown[0], *keys[::-1], unknown[1]])
    assert sorted(places) == list(range(1, 41))
    np.testing.assert_array_equal(found, vectors_of(keys[::-1])[places - 1])
    # The first vector of a text stays, so that all processes go on with one.
    cache.write(keys[:1], np.zeros((1, WIDTH), "float32"))
    check_all(cache, ["text 0"])
    empty = VectorCache(cache.path.parent, FINGERPRINT[::-1])
    assert (len(empty), empty.dimensions) == (0, None)
    assert [part.shape for part in empty.read(keys)] == [(0,), (0, 0)]
    assert empty.read([])[1].shape == (0, 0)


def test_it_tells_what_it_is(filled):
    cache, _ = filled
    with sqlite3.connect(cache.path) as connection:
        about = dict(connection.execute("SELECT * FROM about"))
    assert about == {"model": "a model", "fingerprint": FINGERPRINT}


def test_more_than_one_query_takes(filled, monkeypatch):
    monkeypatch.setattr(vector_cache, "ASKED", 7)
    check_all(filled[0], random.Random(0).sample([f"text {i}" for i in range(40)], 40))


def test_two_processes_write_at_once(writer, tmp_path):
    # Half of the texts are the same, and both make the file.
    processes = [writer(tmp_path, 0, 2000, 50), writer(tmp_path, 1000, 3000, 50)]
    for process in processes:
        told, _ = process.communicate(timeout=120)
        assert (process.returncode, told) == (0, "open\ndone\n")
    (path,) = tmp_path.glob("*.sqlite")
    cache = VectorCache(tmp_path, FINGERPRINT)
    assert cache.path == path
    assert len(cache) == 3000
    check_all(cache, [f"text {i}" for i in range(3000)])
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_process_is_killed_while_it_writes(writer, tmp_path):
    killed, other = writer(tmp_path, 0, 10**7, 100), writer(tmp_path, 0, 3000, 300)
    assert killed.stdout.readline() == "open\n"
    cache = VectorCache(tmp_path, FINGERPRINT)
    while len(cache) < 2000:
        assert killed.poll() is None
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert other.communicate(timeout=120)[0] == "open\ndone\n"
    # Batches are there whole or not at all, and the file goes on to be used.
    assert len(cache) % 100 == 0
    check_all(cache, [f"text {i}" for i in range(len(cache))])
    cache.write(text_keys(["one more"]), vectors_of(text_keys(["one more"])))
    check_all(cache, ["one more"])
    assert intact(cache.path)


def damage(path, change):
    path.write_bytes(change(path.read_bytes()))


def flip_a_vector(content):
    # A byte in the middle of a vector, which SQLite itself does not look at.
    vector = vectors_of(text_keys(["text 7"]))[0].tobytes()
    assert vector in content
    return content.replace(vector, vector[:40] + bytes([vector[40] ^ 1]) + vector[41:])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (flip_a_vector, "a vector does not fit its sum"),
        (lambda content: content[: len(content) // 2], "malformed"),
        (lambda content: b"no database, " * 500, "not a database"),
        (lambda content: b"", "this is none"),
    ],
)
def test_a_damaged_file(change, message, filled):
    cache, keys = filled
    damage(cache.path, change)
    with pytest.raises(FileFormatError, match=rf"{FINGERPRINT[:32]}\.sqlite: .*{message}"):
        VectorCache(cache.path.parent, FINGERPRINT).read(keys)


def test_a_file_of_another_kind(filled):
    cache, _ = filled
    folder = cache.path.parent

    def opened(fingerprint=FINGERPRINT):
        return VectorCache(folder, fingerprint)

    def execute(statement):
        connection = sqlite3.connect(cache.path, isolation_level=None)
        connection.execute(statement)
        connection.close()

    execute(f"PRAGMA user_version = {FORMAT + 1}")
    with pytest.raises(FileFormatError, match=f"Received: {FORMAT + 1}; expected: {FORMAT}"):
        opened()
    execute(f"PRAGMA user_version = {FORMAT}")
    other = "f" * 64
    cache.path.rename(folder / f"{other[:32]}.sqlite")
    with pytest.raises(FileFormatError, match="of another model than its name says"):
        opened(other)
    cache.path.unlink(missing_ok=True)
    connection = sqlite3.connect(cache.path)
    connection.execute("CREATE TABLE someone_elses (name TEXT)")
    connection.commit()
    connection.close()
    with pytest.raises(FileFormatError, match="A cache of vectors was expected, this is none"):
        opened()
    assert cache.path.exists()


def test_a_cache_that_is_gone_is_not_made_anew(filled):
    cache, keys = filled
    cache.path.unlink()
    with pytest.raises(BertEmbedError, match="unable to open database file"):
        cache.read(keys)
    assert not cache.path.exists()


def test_a_file_stands_in_the_way(tmp_path):
    (tmp_path / "cache").write_text("mine")
    with pytest.raises(BertEmbedError, match="cache is a file; a folder was expected"):
        VectorCache(tmp_path / "cache", FINGERPRINT)


def in_a_fork(function):
    """What a function tells in a process of its own: the message of its `BertEmbedError`."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            function()
            told = "nothing was raised"
        except BertEmbedError as error:
            told = str(error)
        except BaseException as error:
            told = repr(error)
        os.write(writing, told.encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as file:
        return file.read()


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_that_cannot_be_written(there):
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent, "cache")
        folder.mkdir()
        if there:
            VectorCache(folder, FINGERPRINT)
        folder.chmod(0o555)
        Path(parent).chmod(0o755)

        def open_it():
            if os.geteuid() == 0:
                os.setuid(65534)
            VectorCache(folder, FINGERPRINT)

        told = in_a_fork(open_it)
        assert "cannot be read and written: " in told
        assert str(folder) in told
        folder.chmod(0o755)


def test_a_full_disk(tmp_path):
    cache = VectorCache(tmp_path, FINGERPRINT)
    keys = text_keys([f"text {i}" for i in range(3000)])

    def write():
        # A file that may not grow is what a full disk looks like to a program.
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))
        for begin in range(0, 3000, 100):
            cache.write(keys[begin : begin + 100], vectors_of(keys[begin : begin + 100]))

    told = in_a_fork(write)
    assert "cannot be read and written: " in told
    assert 0 < len(cache) < 3000
    assert len(cache) % 100 == 0
    check_all(cache, [f"text {i}" for i in range(len(cache))])
    assert intact(cache.path)
