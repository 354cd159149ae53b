"""Encoders with a cache: the same numbers, from the disk where they are known."""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest

from tf_bertembed import models
from tf_bertembed.common import BertEmbedError, FileFormatError, MissingFileError
from tf_bertembed.probe import opened_encoder
from tf_bertembed.probe.model_files import fingerprint, model_folder
from tf_bertembed.probe.opened_encoder import open_encoder
from tf_bertembed.probe.vector_cache import VectorCache, text_keys

ASK = """
import json, sys
import numpy as np
from tf_bertembed.probe.opened_encoder import open_encoder
path, cache, texts, output = sys.argv[1:]
encoder = open_encoder(path, cache=cache)
np.save(output, encoder.encode(json.loads(texts)))
print(encoder.dimensions, *sorted({"keras", "sklearn", "tensorflow", "gensim"} & set(sys.modules)))
"""


def near(got, expected):
    expected = np.asarray(expected)
    return np.abs(np.asarray(got) - expected).max() / np.abs(expected).max() <= 1e-5


def caches(folder):
    return sorted(folder.glob("*.sqlite"))


@pytest.fixture
def model(preset, tmp_path):
    """A copy of the model, to be changed."""
    shutil.copytree(preset, tmp_path / "model")
    return tmp_path / "model"


def ask(path, cache, texts, output):
    command = [sys.executable, "-c", ASK, path, cache, json.dumps(texts), output]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True, timeout=300
    )
    return done.stdout.split()


def test_without_a_cache(preset, texts, expected):
    encoder = open_encoder(preset)
    assert encoder.dimensions == 8
    assert near(encoder.encode(texts, batch_size=5, max_pieces=64, streams=1), expected)
    assert encoder.encode([]).shape == (0, 8)


@pytest.mark.parametrize("kind", ["saved_model", pytest.param("preset", marks=pytest.mark.slow)])
def test_a_process_that_has_loaded_nothing_else(kind, request, texts, expected, tmp_path):
    path = request.getfixturevalue(kind)
    # Ops of the tokenizer are registered by whatever imports them first.
    ask(path, tmp_path / "cache", texts, tmp_path / "found.npy")
    assert near(np.load(tmp_path / "found.npy"), expected)


@pytest.mark.parametrize("kind", ["preset", "saved_model"])
def test_a_cache_answers_without_tensorflow(kind, request, texts, expected, tmp_path):
    path = request.getfixturevalue(kind)
    first = open_encoder(path, cache=tmp_path / "cache")
    assert near(first.encode([*texts, texts[0]]), [*expected, expected[0]])
    assert first.dimensions == 8
    mixed = [texts[5], texts[5], *texts[::-1]]
    # Another process, with the very same numbers, and with no library that takes seconds.
    assert ask(path, tmp_path / "cache", mixed, tmp_path / "found.npy") == ["8"]
    np.testing.assert_array_equal(np.load(tmp_path / "found.npy"), first.encode(mixed))


def test_only_what_is_missing_is_computed(preset, texts, expected, tmp_path, monkeypatch):
    encoder = open_encoder(preset, cache=tmp_path)
    # A mark that no model makes tells what came from the disk.
    mark = np.full((2, 8), 7, "float32")
    encoder._cache.write(text_keys([texts[3], texts[8]]), mark)
    assert encoder.dimensions == 8
    assert encoder._encoder is None
    monkeypatch.setattr(opened_encoder, "WINDOW", 5)
    order = np.random.default_rng(0).permutation(12)
    wanted = np.array(expected)
    wanted[[3, 8]] = 7
    assert near(encoder.encode([texts[row] for row in order]), wanted[order])
    assert len(encoder._cache) == 12
    assert near(encoder.encode(texts), wanted)


@pytest.mark.slow
def test_each_setting_has_vectors_of_its_own(preset, texts, tmp_path):
    settings = (
        {},
        {"pooling": "max"},
        {"normalize": True},
        {"sequence_length": 5},
        {"layers": 0},
        {"layers": [0, 1]},
        {"layers": [0, 1], "layer_weights": [1, 3]},
    )
    for one in settings:
        cached = open_encoder(preset, cache=tmp_path, **one).encode(texts)
        assert near(cached, open_encoder(preset, **one).encode(texts))
    assert len(caches(tmp_path)) == len(settings)
    # What NumPy calls the same numbers is the same setting.
    encoder = open_encoder(preset, cache=tmp_path, layers=np.array([0, 1]))
    encoder.encode(texts)
    assert encoder._encoder is None
    with pytest.raises(BertEmbedError, match=r"cannot tell this setting from others.*function"):
        open_encoder(preset, cache=tmp_path, pooling=lambda sequence, features: sequence[:, 0])


def test_a_model_that_moved_is_the_same_one(preset, model, texts, tmp_path):
    first = open_encoder(preset, cache=tmp_path / "cache").encode(texts)
    moved = open_encoder(model, cache=tmp_path / "cache")
    np.testing.assert_array_equal(moved.encode(texts), first)
    assert moved._encoder is None


def test_a_model_that_changed_is_another_one(model, classifier, texts, tmp_path):
    cache = tmp_path / "cache"
    before = open_encoder(model, cache=cache).encode(texts)
    waiting = open_encoder(model, cache=cache)
    other = models.BertEmbedBackbone.from_config(classifier.backbone.get_config())
    times = os.stat(model / "model.weights.h5")
    other.save_to_preset(str(model))
    # Neither size nor time tells.
    os.utime(model / "model.weights.h5", ns=(times.st_atime_ns, times.st_mtime_ns))
    after = open_encoder(model, cache=cache).encode(texts)
    assert not near(after, before)
    assert near(after, models.load_encoder(model).encode(texts))
    assert len(caches(cache)) == 2
    np.testing.assert_array_equal(waiting.encode(texts), before)
    with pytest.raises(BertEmbedError, match="changed after the cache was opened"):
        waiting.encode(["something new"])


def test_the_highest_version_of_an_exported_model(saved_model, texts, tmp_path):
    name = tmp_path / "name"
    shutil.copytree(saved_model, name / "1")
    first = open_encoder(name, cache=tmp_path / "cache")
    first.encode(texts)
    shutil.copytree(saved_model, name / "2")
    (name / "2" / "assets.extra").mkdir(exist_ok=True)
    (name / "2" / "assets.extra" / "note.txt").write_text("another model")
    second = open_encoder(name, cache=tmp_path / "cache")
    assert first._cache.fingerprint != second._cache.fingerprint
    assert model_folder(name) == name / "2"
    # The one that was opened goes on with the version that it found.
    assert near(first.encode(["new"]), open_encoder(name / "1").encode(["new"]))


def test_names_and_published_folders():
    folder = model_folder("all-minilm-l6-v2")
    assert folder == models.find_checkpoint("all-minilm-l6-v2")
    assert len(fingerprint(folder, [])) == 64


def test_which_files_count(model, tmp_path):
    before = fingerprint(model, [])
    (model / "history.png").write_bytes(b"a picture")
    (model / ".hidden").mkdir()
    (model / ".hidden" / "config.json").write_text("{}")
    (model / "round").symlink_to(".")
    assert fingerprint(model, []) == before
    assert fingerprint(model, ["max"]) != before
    # A folder behind a link counts like any other.
    shutil.move(model / "assets", tmp_path / "assets")
    (model / "assets").symlink_to(tmp_path / "assets")
    assert fingerprint(model, []) == before
    vocabulary = next((tmp_path / "assets").rglob("vocab*.txt"))
    vocabulary.write_text(vocabulary.read_text() + "more\n")
    changed = fingerprint(model, [])
    assert changed != before
    (model / "config.json").rename(model / "bert_config.json")
    # Google's folders tell by their name whether they lower-case.
    other = fingerprint(model, [])
    model.rename(tmp_path / "cased")
    assert fingerprint(tmp_path / "cased", []) != other
    (tmp_path / "cased" / "lost.json").symlink_to(tmp_path / "nowhere.json")
    with pytest.raises(MissingFileError, match=r"lost\.json does not exist"):
        fingerprint(tmp_path / "cased", [])


def test_the_precision_counts(preset, texts, tmp_path):
    single = open_encoder(preset, cache=tmp_path)
    waiting = open_encoder(preset, cache=tmp_path)
    single.encode(texts)
    keras.config.set_dtype_policy("mixed_float16")
    try:
        half = open_encoder(preset, cache=tmp_path)
        with pytest.raises(BertEmbedError, match="or Keras's dtype policy, changed"):
            waiting.encode(["new"])
    finally:
        keras.config.set_dtype_policy("float32")
    assert half._cache.fingerprint != single._cache.fingerprint


def test_what_cannot_be(preset, tmp_path):
    cache = tmp_path / "cache"
    with pytest.raises(MissingFileError, match="nowhere does not exist"):
        open_encoder(tmp_path / "nowhere", cache=cache)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BertEmbedError, match="empty holds no file; a model was expected"):
        open_encoder(tmp_path / "empty", cache=cache)
    assert not cache.exists()
    wrong = open_encoder(preset, pooling="sum", cache=cache)
    with pytest.raises(BertEmbedError, match=r"`pooling` must be one of .*'sum'"):
        wrong.encode(["a"])
    encoder = open_encoder(preset, cache=cache)
    with pytest.raises(BertEmbedError, match=r"Row 1 holds 3 \(int\)"):
        encoder.encode(["a", 3])
    for name in ("batch_size", "max_pieces", "streams"):
        with pytest.raises(BertEmbedError, match=rf"`{name}` must be an int of .* Received: '4'"):
            encoder.encode(["a"], **{name: "4"})
    assert len(encoder._cache) == 0
    encoder.encode(["a"])
    with pytest.raises(BertEmbedError, match=r"`streams` must be an int of at least 1"):
        encoder.encode(["a"], streams=0)
    encoder._cache.path.write_bytes(b"no database" * 100)
    with pytest.raises(FileFormatError, match="not a database"):
        encoder.encode(["a"])


@pytest.mark.parametrize(
    ("kind", "name", "kept"),
    [
        ("saved_model", "saved_model.pb", 1000),
        ("saved_model", "variables/variables.data-00000-of-00001", 0),
        ("saved_model", "variables/variables.index", None),
        ("preset", "model.weights.h5", 3000),
        ("preset", "model.weights.h5", None),
        ("preset", "config.json", 20),
    ],
)
@pytest.mark.parametrize("cached", [False, True])
def test_a_damaged_model(kind, name, kept, cached, request, tmp_path):
    folder = tmp_path / "damaged"
    shutil.copytree(request.getfixturevalue(kind), folder)
    content = (folder / name).read_bytes()
    (folder / name).unlink()
    if kept is not None:
        (folder / name).write_bytes(content[:kept])
    with pytest.raises(BertEmbedError, match="damaged"):
        open_encoder(folder, cache=tmp_path / "cache" if cached else None).encode(["a"])


def test_limits_of_an_exported_model(saved_model):
    with pytest.raises(BertEmbedError, match=r"`max_pieces` must be an int of at least 1"):
        open_encoder(saved_model).encode(["a"], max_pieces=0)


def test_threads_share_an_encoder(preset, texts, expected, tmp_path):
    encoder = open_encoder(preset, cache=tmp_path)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(encoder.encode, [texts, texts[:6], texts[6:], texts[::-1]]):
            assert len(found) in (6, 12)
    assert near(encoder.encode(texts), expected)
    assert len(VectorCache(tmp_path, encoder._cache.fingerprint)) == 12
