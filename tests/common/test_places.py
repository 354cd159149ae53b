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


def test_atomic_path_leaves_nothing_half_written(tmp_path):
    def write_and_fail():
        with common.atomic_path(tmp_path / "out.txt") as place:
            place.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_and_fail()
    assert list(tmp_path.iterdir()) == []


def test_atomic_path_replaces_only_when_told(tmp_path):
    for text in ("old", "new"):
        with common.atomic_path(tmp_path / "run", overwrite=True) as place:
            place.mkdir()
            (place / text).write_text(text)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["new"]
    with (
        pytest.raises(common.OutputExistsError, match=r"run already exists\. Use --force\."),
        common.atomic_path(tmp_path / "run", remedy="Use --force."),
    ):
        pytest.fail("The body must not run.")


def stand(place, kind):
    """Put something that is told apart from what another call puts there."""
    if kind == "folder":
        place.mkdir()
        (place / "part").write_text("")
    elif kind == "link":
        place.symlink_to(place.parent.parent, target_is_directory=True)
    else:
        place.write_text(kind)


@pytest.mark.parametrize("old", ["file", "folder", "link"])
@pytest.mark.parametrize("new", ["another", "folder"])
def test_atomic_path_replaces_whatever_stands_there(tmp_path, old, new):
    place = tmp_path / "inside" / "out"
    place.parent.mkdir()
    (tmp_path / "kept").write_text("")
    stand(place, old)
    with common.atomic_path(place, overwrite=True) as fresh:
        stand(fresh, new)
    assert [path.name for path in place.parent.iterdir()] == ["out"]
    assert not place.is_symlink()
    if new == "folder":
        assert [path.name for path in place.iterdir()] == ["part"]
    else:
        assert place.read_text() == new
    # What a link led to is someone else's.
    assert (tmp_path / "kept").exists()


@pytest.mark.parametrize("old", ["file", "folder"])
def test_what_cannot_be_replaced_is_put_back(tmp_path, old):
    stand(tmp_path / "out", old)
    with (
        pytest.raises(FileNotFoundError),
        common.atomic_path(tmp_path / "out", overwrite=True),
    ):
        pass
    assert (tmp_path / "out").is_dir() == (old == "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
