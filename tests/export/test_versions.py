"""Which version of an exported model is the newest."""

import pytest

from tf_bertembed.export.versions import GRAPH, newest_version


@pytest.fixture
def exported(tmp_path):
    # The last of these is larger than what servers take, 2**63 - 1.
    for name in ("2", "10", "9223372036854775808"):
        (tmp_path / name).mkdir()
        (tmp_path / name / GRAPH).write_bytes(b"")
    for name in ("11", "notes", "\u00b2"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.mark.parametrize("start", ["", "file://"], ids=["plain", "as TensorFlow reads it"])
def test_the_highest_complete_version_that_servers_take(start, exported):
    folder = f"{start}{exported}"
    assert newest_version(folder) == f"{folder}/10"
    assert newest_version(f"{folder}/2") == f"{folder}/2"


@pytest.mark.parametrize("start", ["", "file://"], ids=["plain", "as TensorFlow reads it"])
def test_where_there_is_none(start, exported):
    for name in ("11", "nowhere", "10/saved_model.pb"):
        assert newest_version(f"{start}{exported}/{name}") is None
