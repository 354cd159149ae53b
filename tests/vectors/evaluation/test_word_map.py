import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors
from gensim.test.utils import datapath

from tf_bertembed import common, vectors
from tf_bertembed.vectors.evaluation import map_labels

PNG = b"\x89PNG"


@pytest.fixture(scope="module")
def glove():
    return vectors.load(datapath("test_glove.txt"))


def made(rows):
    found = KeyedVectors(len(next(iter(rows.values()))))
    found.add_vectors(list(rows), np.array(list(rows.values()), np.float32))
    return found


def place(report):
    return np.array([(point["x"], point["y"]) for point in report["points"]])


def test_pca_as_by_singular_values(glove, tmp_path):
    words = glove.index_to_key[10:40]
    report = vectors.plot_map(glove, words, tmp_path / "map.png")
    unit = np.float64(glove.vectors[10:40])
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    centred = unit - unit.mean(axis=0)
    left, singular, _ = np.linalg.svd(centred, full_matrices=False)
    expected = left[:, :2] * singular[:2]
    found = place(report)
    found *= np.sign(found[0] * expected[0])
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert report["explained"] == pytest.approx((singular[:2] ** 2).sum() / (singular**2).sum())
    assert [point["label"] for point in report["points"]] == words
    assert (tmp_path / "map.png").read_bytes().startswith(PNG)
    with pytest.raises(common.OutputExistsError, match=r"map\.png already exists"):
        vectors.plot_map(glove, words, tmp_path / "map.png")
    vectors.plot_map(glove, words[:3], tmp_path / "map.png", overwrite=True)


def test_tsne_is_the_same_for_a_seed(glove, tmp_path):
    words = glove.index_to_key[10:20]
    first, again = (
        vectors.plot_map(glove, words, tmp_path / f"{n}.png", method="tsne", seed=3)
        for n in range(2)
    )
    np.testing.assert_array_equal(place(first), place(again))
    assert first["explained"] is None


def test_what_is_left_out(tmp_path):
    found = made({"a": (1, 0), "b": (0, 1), "nothing": (0, 0), "$c$": (1, 1)})
    report = vectors.plot_map(found, ["a", "b", "none", "nothing", "$c$"], tmp_path / "map.svg")
    assert [point["word"] for point in report["points"]] == ["a", "b", "$c$"]
    assert (report["unknown"], report["zero_vectors"]) == (["none"], ["nothing"])
    assert "<svg" in (tmp_path / "map.svg").read_text(encoding="utf-8")
    with pytest.raises(
        common.BertEmbedError, match=r"2 with .* zeros, 1 unknown \(none\), 1 of zeros\."
    ):
        vectors.plot_map(found, ["a", "b", "none", "nothing"], tmp_path / "other.png")


def test_bad_input(glove, tmp_path):
    same = made({"a": (1, 2), "b": (2, 4), "c": (3, 6)})
    for arguments, options, message in (
        ((same, 3, tmp_path / "map.png"), {}, "all 3 words point the same way"),
        ((glove, 3, tmp_path / "map.bmp"), {}, r"written as \.png, \.svg, \.pdf\. Received: "),
        ((glove, 3, tmp_path / "map.png"), {"method": "umap"}, "must be one of 'pca', 'tsne'"),
        ((glove, "the", tmp_path / "map.png"), {}, "must be a list of strings or an int"),
        ((glove, 2, tmp_path / "map.png"), {}, "needs 3 words at least"),
    ):
        with pytest.raises(common.BertEmbedError, match=message):
            vectors.plot_map(*arguments, **options)
    assert list(tmp_path.iterdir()) == []


def test_words_without_glyphs_are_numbered_with_one_warning(tmp_path):
    # A code point of no letter: no font has it, whatever this machine has for Chinese.
    strange = "\U0003fffd"
    found = made({"a": (1, 0), strange: (0, 1), "c": (1, 1)})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        report = vectors.plot_map(found, 3, tmp_path / "map.png")
    (warning,) = caught
    assert "No font at hand has the glyphs of 1 words" in str(warning.message)
    assert [point["label"] for point in report["points"]] == ["a", "2", "c"]


def test_a_font_of_the_user_s(tmp_path):
    from matplotlib import font_manager

    mono = font_manager.findfont(font_manager.FontProperties(family="DejaVu Sans Mono"))
    labels, families = map_labels.choose(["a", "é"], mono)
    assert labels == ["a", "é"]
    assert families[-1] == "DejaVu Sans Mono"
    no_font = tmp_path / "font.ttf"
    no_font.write_text("no font", encoding="utf-8")
    with pytest.raises(common.FileFormatError, match="A font was expected"):
        map_labels.choose(["a"], no_font)
    with pytest.raises(common.MissingFileError, match="Give a font file"):
        map_labels.choose(["a"], Path("nowhere.ttf"))


def test_labels_stand_apart():
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    points = np.array([[0.0, 0.0], [0.001, 0.0], [0.0, 0.001], [1.0, 1.0]])
    axis.scatter(*points.T)
    axis.margins(0.2)
    map_labels.place(axis, points, ["first", "second", "third", "fourth"], ["DejaVu Sans"])
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in axis.texts]
    apart = [not one.overlaps(two) for n, one in enumerate(boxes) for two in boxes[:n]]
    assert all(apart)
    assert all(re.match(r"\w+", text.get_text()) for text in axis.texts)
