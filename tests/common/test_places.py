"""Places that someone else takes first, or that a file blocks."""

import pytest

from tf_bertembed import common


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_appeared_meanwhile_is_not_replaced(tmp_path, kind):
    def fill(path, content):
        if kind == "folder":
            path.mkdir()
            path = path / "content"
        path.write_text(content)

    place = tmp_path / "1"

    def write():
        with common.atomic_path(place) as fresh:
            fill(fresh, "mine")
            fill(place, "theirs")

    with pytest.raises(FileExistsError, match="already exists"):
        write()
    kept = place / "content" if kind == "folder" else place
    assert kept.read_text() == "theirs"
    assert [entry.name for entry in tmp_path.iterdir()] == ["1"]


def test_a_file_in_the_way_of_a_folder_is_named(tmp_path):
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(common.BertEmbedError, match=r"runs is a file; a folder was expected"):
        common.make_folder(tmp_path / "runs" / "1")
    with (
        pytest.raises(common.BertEmbedError, match=r"runs is a file"),
        common.atomic_path(tmp_path / "runs" / "metrics.json"),
    ):
        pass


def test_numbers_that_int_cannot_read_are_no_versions(tmp_path):
    for name in ("1", "²", "-3", "03x"):
        (tmp_path / name).mkdir()
    assert list(common.numbered_folders(tmp_path)) == [1]
    assert common.numbered_folders(tmp_path / "missing") == {}


@pytest.mark.parametrize("place", [".", "..", "", "/", "sub/.."])
def test_a_place_without_a_name_is_not_replaced(tmp_path, monkeypatch, place):
    (tmp_path / "sub").mkdir()
    (tmp_path / "kept").write_text("kept")
    monkeypatch.chdir(tmp_path)
    with (
        pytest.raises(common.BertEmbedError, match=r"cannot be replaced: the name of a file or"),
        common.atomic_path(place, overwrite=True),
    ):
        pass
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["kept", "sub"]


@pytest.mark.parametrize("name", ["replaced", "other"])
def test_a_folder_of_any_name_is_replaced(tmp_path, name):
    for content in ("old", "new"):
        with common.atomic_path(tmp_path / name, overwrite=True) as fresh:
            fresh.mkdir()
            (fresh / content).write_text(content)
    assert [entry.name for entry in (tmp_path / name).iterdir()] == ["new"]
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
