"""Search by meaning: exact against NumPy, by a graph, and what a folder refuses."""

import json
import sys

import numpy as np
import pytest

from tf_bertembed import probe, tasks
from tf_bertembed.common import (
    BertEmbedError,
    FileFormatError,
    MissingFileError,
    MissingPackageError,
    OutputExistsError,
)
from tf_bertembed.probe import index_building, nearest_rows


@pytest.fixture(scope="module")
def text_file(texts, tmp_path_factory):
    path = tmp_path_factory.mktemp("search") / "news.txt"
    path.write_text("\n\n".join([*texts, "我住在北京 🙂"]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def run(classifier, tmp_path_factory):
    """A sentence encoder, which pools as no checkpoint says."""
    folder = tmp_path_factory.mktemp("runs") / "sentences"
    encoder = tasks.SentenceEncoder(classifier.backbone, classifier.preprocessor, pooling="max")
    encoder.save_to_preset(str(folder))
    return folder, encoder


@pytest.fixture(scope="module")
def folder(run, text_file, tmp_path_factory):
    folder = tmp_path_factory.mktemp("indexes") / "news"
    report = probe.build_index(run[0], text_file, folder, approximate=True)
    assert (report["texts"], report["dimensions"]) == (13, 8)
    assert (report["model"], report["source"]) == (str(run[0]), str(text_file))
    assert report["recall_at_10"] == 1.0
    return folder


@pytest.fixture(scope="module")
def index(folder):
    return probe.TextIndex(folder)


def cosines(encoder, queries, texts):
    sides = [encoder.predict(side, verbose=0).astype("float64") for side in (queries, texts)]
    first, second = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in sides)
    return first @ second.T


def test_the_nearest_texts_with_their_lines(index, run, texts, text_file):
    all_texts = [*texts, "我住在北京 🙂"]
    queries = [texts[3], "我住"]
    expected = cosines(run[1], queries, all_texts)
    found = index.search(queries, top=4)
    lines = text_file.read_text(encoding="utf-8").split("\n")
    for row, results in zip(expected, found, strict=True):
        order = np.argsort(-row, kind="stable")[:4]
        assert [one["text"] for one in results] == [all_texts[place] for place in order]
        np.testing.assert_allclose([one["score"] for one in results], row[order], atol=1e-5)
        assert all(lines[one["line"] - 1] == one["text"] for one in results)
    assert found[0][0]["score"] == pytest.approx(1, abs=1e-5)
    assert len(index.search(["a"], top=100)[0]) == len(index) == 13
    approximate = index.search(queries, top=4, approximate=True)
    assert [[one["line"] for one in results] for results in approximate] == [
        [one["line"] for one in results] for results in found
    ]


def test_a_file_without_an_index(index, run, text_file, texts):
    with probe.open_index(text_file, run[0]) as passing:
        assert passing.search([texts[1]], top=3) == index.search([texts[1]], top=3)
        gone = passing.folder
    assert not gone.exists()
    with (
        pytest.raises(BertEmbedError, match="is searched by a `model`"),
        probe.open_index(text_file),
    ):
        pass


def test_windows_and_an_exported_model(text_file, saved_model, tmp_path, monkeypatch):
    monkeypatch.setattr(index_building, "WINDOW", 5)
    probe.build_index(saved_model, text_file, tmp_path / "parts")
    monkeypatch.undo()
    probe.build_index(saved_model, text_file, tmp_path / "whole")
    parts, whole = (np.load(tmp_path / name / "vectors.npy") for name in ("parts", "whole"))
    np.testing.assert_allclose(parts, whole, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(whole, axis=1), 1, atol=1e-5)


def test_exact_search_in_blocks_is_a_stable_sort(monkeypatch):
    random = np.random.default_rng(0)
    matrix = random.integers(-2, 3, size=(200, 4)).astype("float32")
    queries = random.integers(-2, 3, size=(70, 4)).astype("float32")
    products = queries @ matrix.T
    expected = np.argsort(-products, axis=1, kind="stable")[:, :7]
    for numbers in (4 * 9, 1 << 24):
        monkeypatch.setattr(nearest_rows, "NUMBERS", numbers)
        scores, rows = nearest_rows.exact_neighbours(matrix, queries, 7)
        np.testing.assert_array_equal(rows, expected)
        np.testing.assert_array_equal(scores, np.take_along_axis(products, expected, 1))


def test_a_graph_finds_nearly_all(tmp_path):
    matrix = nearest_rows.unit_rows(np.random.default_rng(1).normal(size=(3000, 16)))
    nearest_rows.build_graph(matrix, tmp_path / "graph.faiss")
    graph = nearest_rows.read_graph(tmp_path / "graph.faiss", 3000, 16)
    recall = nearest_rows.graph_recall(graph, matrix)
    print(f"recall at 10 of 3,000 random vectors: {recall:.3f}")
    assert recall > 0.95
    with pytest.raises(FileFormatError, match="Received: 3000 of 16"):
        nearest_rows.read_graph(tmp_path / "graph.faiss", 3000, 8)
    (tmp_path / "graph.faiss").write_bytes(b"no graph")
    with pytest.raises(FileFormatError, match="faiss cannot read"):
        nearest_rows.read_graph(tmp_path / "graph.faiss", 3000, 16)


def test_another_model_is_refused(folder, preset):
    with pytest.raises(BertEmbedError, match="gives its first text another vector"):
        probe.TextIndex(folder, model=preset).search(["a"])


@pytest.mark.slow
def test_a_model_of_another_width_is_refused(index, folder, run, tmp_path):
    narrow = run[1].whitened([line["text"] for line in index.search(["a"])[0]], 2)
    narrow.save_to_preset(str(tmp_path / "narrow"))
    with pytest.raises(BertEmbedError, match=r"have 8 numbers; those of .*narrow have 2"):
        probe.TextIndex(folder, model=tmp_path / "narrow").search(["a"])


def test_what_is_refused(index, folder, run, text_file, tmp_path, monkeypatch):
    for arguments, message in (
        ((["a", " "],), "must hold text"),
        (("a",), "not one text"),
        ((["a"], 0), "`top` must be"),
    ):
        with pytest.raises(BertEmbedError, match=message):
            index.search(*arguments)
    assert index.search([]) == []
    with pytest.raises(OutputExistsError):
        probe.build_index(run[0], text_file, folder)
    with pytest.raises(BertEmbedError, match="is, or holds, what is to be read"):
        probe.build_index(run[0], text_file, run[0], overwrite=True)
    with pytest.raises(MissingFileError, match=r"nowhere\.txt"):
        probe.build_index(run[0], tmp_path / "nowhere.txt", tmp_path / "new")
    (tmp_path / "blank.txt").write_text("\n \n")
    with pytest.raises(FileFormatError, match="blank lines only"):
        probe.build_index(run[0], tmp_path / "blank.txt", tmp_path / "new")
    with pytest.raises(MissingFileError, match=r"index\.json does not exist"):
        probe.TextIndex(tmp_path)
    (tmp_path / "index.json").write_text('{"format": 1}')
    with pytest.raises(FileFormatError, match="The name of a `model` was expected"):
        probe.TextIndex(tmp_path)
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(MissingPackageError, match="pip install faiss-cpu"):
        probe.build_index(run[0], text_file, tmp_path / "new", approximate=True)
    with pytest.raises(MissingPackageError, match="pip install faiss-cpu"):
        probe.TextIndex(folder).search(["a"], approximate=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blank.txt", "index.json"]


def test_a_broken_index_is_told(folder, tmp_path):
    place = tmp_path / "index"
    place.mkdir()
    for path in folder.iterdir():
        (place / path.name).write_bytes(path.read_bytes())
    (place / "graph.faiss").unlink()
    with pytest.raises(BertEmbedError, match="has no graph"):
        probe.TextIndex(place).search(["a"], approximate=True)
    with (place / "texts.txt").open("a") as file:
        file.write("one more\n")
    with pytest.raises(FileFormatError, match="are not of one index"):
        probe.TextIndex(place)
    (place / "vectors.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(FileFormatError, match="The array is broken"):
        probe.TextIndex(place)
    description = json.loads((place / "index.json").read_text())
    (place / "index.json").write_text(json.dumps({**description, "format": 9}))
    with pytest.raises(FileFormatError, match="Received: 9"):
        probe.TextIndex(place)
