import json
import shutil

import h5py
import keras_nlp
import numpy as np
import pytest

from tf_bertembed import models, text
from tf_bertembed.common import (
    BertEmbedError,
    FileFormatError,
    MissingFileError,
    OutputExistsError,
)

TOLERANCE = 1e-5
PIECES = [*text.SPECIAL_TOKENS, "one", "caf", "##e", "two", "!"]


def difference(got, expected):
    """The largest difference over the largest magnitude."""
    expected = np.asarray(expected, "float64")
    return np.abs(np.asarray(got, "float64") - expected).max() / np.abs(expected).max()


def make_theirs(**sizes):
    """A backbone of keras-nlp, of which every weight has some value."""
    arguments = {"num_layers": 2, "num_heads": 2, "hidden_dim": 8, "intermediate_dim": 16}
    backbone = keras_nlp.models.BertBackbone(
        vocabulary_size=10, max_sequence_length=12, **{**arguments, **sizes}
    )
    random = np.random.default_rng(3)
    for variable in backbone.trainable_variables:
        variable.assign(variable + 0.3 * random.normal(size=variable.shape))
    return backbone


@pytest.fixture(scope="module")
def theirs():
    return make_theirs()


@pytest.fixture(scope="module")
def preset(theirs, tmp_path_factory):
    """A preset as keras-nlp writes it, for tests that do not change it."""
    folder = tmp_path_factory.mktemp("presets") / "bert"
    theirs.save_to_preset(str(folder))
    return folder


@pytest.fixture
def changed(preset, tmp_path):
    """A copy of the preset, changed."""

    def change(config=None, edit=None, **top):
        folder = tmp_path / "changed"
        shutil.copytree(preset, folder)
        path = folder / "config.json"
        content = json.loads(path.read_text())
        content["config"].update(config or {})
        path.write_text(json.dumps({**content, **top}))
        if edit is not None:
            with h5py.File(folder / "model.weights.h5", "a") as file:
                edit(file)
        return folder

    return change


@pytest.fixture(scope="module")
def batch():
    random = np.random.default_rng(5)
    mask = np.arange(12) < np.array([12, 7, 2])[:, None]
    return {
        "token_ids": (random.integers(5, 10, (3, 12)) * mask).astype("int32"),
        "segment_ids": (random.integers(2, size=(3, 12)) * mask).astype("int32"),
        "padding_mask": mask,
    }


def assert_same(ours, theirs, batch):
    got, expected = ours(batch), theirs(batch)
    mask = batch["padding_mask"]
    words = [np.asarray(outputs["sequence_output"])[mask] for outputs in (got, expected)]
    assert difference(*words) <= TOLERANCE
    assert difference(got["pooled_output"], expected["pooled_output"]) <= TOLERANCE


def test_the_same_numbers(preset, theirs, batch):
    assert models.checkpoint_format(preset) == "keras-nlp"
    assert_same(models.load(preset), theirs, batch)


def test_other_sizes(tmp_path, batch):
    theirs = make_theirs(num_layers=3, num_heads=4, hidden_dim=12, num_segments=3)
    theirs.save_to_preset(str(tmp_path / "bert"))
    ours = models.load(tmp_path / "bert")
    assert (ours.num_layers, ours.num_heads, ours.num_segments) == (3, 4, 3)
    assert_same(ours, theirs, batch)


def test_presets_of_tasks(theirs, batch, tmp_path):
    tokenizer = keras_nlp.models.BertTokenizer(PIECES, lowercase=True)
    classifier = keras_nlp.models.BertTextClassifier(
        theirs, 3, keras_nlp.models.BertTextClassifierPreprocessor(tokenizer, sequence_length=12)
    )
    masked = keras_nlp.models.BertMaskedLM(theirs)
    for task in (classifier, masked):
        folder = tmp_path / task.name
        task.save_to_preset(str(folder))
        assert_same(models.load(folder), theirs, batch)


def test_the_older_name_of_the_class(changed, theirs, batch):
    folder = changed(registered_name="keras_nlp>BertBackbone")
    assert_same(models.load(folder), theirs, batch)


def test_half_precision(tmp_path):
    theirs = make_theirs(dtype="bfloat16")
    theirs.save_to_preset(str(tmp_path / "half"))
    ours = models.load(tmp_path / "half")
    assert ours.dtype_policy.name == "float32"
    expected = np.asarray(theirs.token_embedding.embeddings).astype("float32")
    np.testing.assert_array_equal(ours.token_embedding.embeddings, expected)


def test_overrides(preset):
    ours = models.load(preset, dtype="mixed_bfloat16", dropout=0.3, name="mine")
    assert (ours.dtype_policy.name, ours.dropout, ours.name) == ("mixed_bfloat16", 0.3, "mine")
    assert (ours.activation, ours.layer_norm_epsilon) == ("gelu_tanh", 1e-12)
    with pytest.raises(BertEmbedError, match=r"A keras-nlp preset fixes \['activation'\]"):
        models.load(preset, activation="gelu")


def test_no_class_of_the_files_choice_is_made(changed):
    evil = {"module": "subprocess", "class_name": "Popen", "config": {"args": ["false"]}}
    ours = models.load(changed({"dtype": evil}, module="os", class_name="system"))
    assert ours.dtype_policy.name == "float32"


@pytest.mark.parametrize("name", ["keras_hub>GPT2Backbone", "mine>BertBackbone", None, 3])
def test_a_preset_of_another_class(name, changed):
    folder = changed(registered_name=name)
    for load in (models.load, models.load_keras_nlp):
        with pytest.raises(FileFormatError, match=rf"config\.json: A preset of .*{name!r}"):
            load(folder)


KEY = "layers/transformer_encoder_1/_self_attention_layer/key_dense/vars/1"
INNER = "layers/transformer_encoder/_feedforward_intermediate_dense/vars/0"


def test_a_missing_tensor(changed):
    def edit(file):
        del file[KEY]

    with pytest.raises(FileFormatError, match=rf"weights\.h5: The tensor {KEY} is missing"):
        models.load(changed(edit=edit))


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [
        (INNER, (16, 8), (8, 16)),
        (KEY, (8,), (2, 4)),
        ("layers/embedding/vars/0", (3, 8), (2, 8)),
    ],
)
def test_a_tensor_of_the_wrong_shape(name, shape, expected, changed):
    def edit(file):
        del file[name]
        file[name] = np.zeros(shape, "float32")

    with pytest.raises(FileFormatError) as caught:
        models.load(changed(edit=edit))
    assert f"The tensor {name} has the shape {shape}; by config.json" in str(caught.value)
    assert str(caught.value).endswith(f"it should be {expected}.")


def test_quantised_weights(changed):
    def edit(file):
        del file[INNER]
        file[INNER] = np.zeros((8, 16), "int8")

    with pytest.raises(FileFormatError, match=rf"{INNER} should hold real numbers.*int8"):
        models.load(changed(edit=edit))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"num_layers": 1}, r"config\.json says 1 layers, but layers/transformer_encoder_1/"),
        ({"num_layers": 3}, r"The tensor layers/transformer_encoder_2/\S+ is missing"),
        ({"num_heads": 4}, r"query_dense/vars/0 has the shape \(8, 2, 4\); .*\(8, 4, 2\)"),
        ({"vocabulary_size": 11}, r"has the shape \(10, 8\); .*\(11, 8\)"),
        ({"hidden_dim": "8"}, r"whole numbers for \['hidden_dim'\]"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_configuration_that_does_not_hold(config, message, changed):
    with pytest.raises(BertEmbedError, match=message):
        models.load(changed(config))


@pytest.mark.parametrize("kept", [1, 100, 5000, -500])
def test_a_truncated_file(kept, changed):
    weights = changed() / "model.weights.h5"
    weights.write_bytes(weights.read_bytes()[:kept])
    with pytest.raises(FileFormatError, match=r"model\.weights\.h5: The HDF5 data is broken"):
        models.load(weights.parent)


def test_missing_files(changed, tmp_path):
    with pytest.raises(MissingFileError, match="nowhere does not exist"):
        models.load_keras_nlp(tmp_path / "nowhere")
    folder = changed()
    (folder / "model.weights.h5").unlink()
    with pytest.raises(MissingFileError, match=r"model\.weights\.h5 does not exist"):
        models.load(folder)
    (folder / "model.weights.json").write_text("{}")
    with pytest.raises(FileFormatError, match=r"cut into several files.*max_shard_size=None"):
        models.load(folder)


def test_a_preset_that_keras_nlp_loads(randomised, batch, tmp_path):
    ours = randomised(activation="gelu_tanh", vocabulary_size=10, max_sequence_length=12)
    tokenizer = text.BertEmbedTokenizer(PIECES)
    assert models.save_keras_nlp(ours, tmp_path / "out", tokenizer) == tmp_path / "out"
    theirs = keras_nlp.models.BertBackbone.from_preset(str(tmp_path / "out"))
    assert_same(ours, theirs, batch)
    their_tokenizer = keras_nlp.models.BertTokenizer.from_preset(str(tmp_path / "out"))
    assert their_tokenizer.get_vocabulary() == PIECES
    for sentence in ("Café one!", "TWO ones", ""):
        assert list(their_tokenizer(sentence)) == list(tokenizer(sentence))


def test_tokenizers_of_other_flags(randomised, tmp_path):
    ours = randomised(activation="gelu_tanh", vocabulary_size=10)
    keeps = text.BertEmbedTokenizer(PIECES, strip_accents=False)
    models.save_keras_nlp(ours, tmp_path / "out", keeps)
    theirs = keras_nlp.models.BertTokenizer.from_preset(str(tmp_path / "out"))
    assert list(theirs("CAFÉ one")) == list(keeps("CAFÉ one"))
    joins = text.BertEmbedTokenizer(PIECES, tokenize_chinese_chars=False)
    with pytest.raises(BertEmbedError, match="always splits at Chinese"):
        models.save_keras_nlp(ours, tmp_path / "other", joins)
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_out_and_in_again(randomised, tmp_path):
    ours = randomised(activation="gelu_tanh", dropout=0.2)
    models.save_keras_nlp(ours, tmp_path / "out")
    assert not (tmp_path / "out" / "tokenizer.json").exists()
    again = models.load(tmp_path / "out")
    assert again.dropout == 0.2
    for one, other in zip(ours.weights, again.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_sinusoidal_positions_and_mixed_precision(randomised, features, tmp_path):
    ours = randomised(activation="gelu_tanh", position_embedding="sinusoidal")
    models.save_keras_nlp(ours, tmp_path / "out")
    theirs = keras_nlp.models.BertBackbone.from_preset(str(tmp_path / "out"))
    assert_same(ours, theirs, features(static=False))
    mixed = randomised(activation="gelu_tanh", dtype="mixed_bfloat16")
    models.save_keras_nlp(mixed, tmp_path / "mixed")
    table = models.load(tmp_path / "mixed").token_embedding.embeddings
    np.testing.assert_array_equal(table, mixed.token_embedding.embeddings)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, r"computes GELU by tanh \(here: activation='gelu'\)\. .* off by \d\.\de-0\d"),
        (
            {"activation": "gelu_tanh", "layer_norm_epsilon": 1e-3},
            r"epsilon 1e-12 \(here: 0\.001\)\. .* off by \d\.\de-0\d",
        ),
    ],
)
def test_other_numbers_are_refused_unless_wanted(arguments, message, randomised, tmp_path):
    ours = randomised(**arguments)
    with pytest.raises(BertEmbedError, match=message):
        models.save_keras_nlp(ours, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    models.save_keras_nlp(ours, tmp_path / "out", approximate=True)
    again = models.load(tmp_path / "out")
    assert (again.activation, again.layer_norm_epsilon) == ("gelu_tanh", 1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"output_fusion": "concat"}, "static_vocabulary_size=13, output_fusion='concat'"),
        ({"input_fusion": "gate"}, "input_fusion='gate'"),
        ({"norm_first": True}, "norm_first=True"),
        ({"num_tags": 3}, "num_tags=3"),
        ({"embedding_dim": 4}, "embedding_dim=4"),
        ({"activation": "relu"}, "activation='relu'"),
    ],
)
def test_parts_that_have_no_place_there(arguments, message, small, tmp_path):
    with pytest.raises(BertEmbedError, match=rf"no place for .*Received: .*{message}"):
        models.save_keras_nlp(small(**arguments), tmp_path / "out", approximate=True)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there(randomised, tmp_path):
    ours = randomised(activation="gelu_tanh")
    with pytest.raises(OutputExistsError):
        models.save_keras_nlp(ours, tmp_path)
    models.save_keras_nlp(ours, tmp_path, overwrite=True)
    assert models.load(tmp_path).hidden_dim == 8


def test_a_tokenizer_of_another_model(small, tmp_path):
    pieces = [*text.SPECIAL_TOKENS, *(f"w{index}" for index in range(500))]
    with pytest.raises(BertEmbedError, match=r"has 505 pieces, the backbone's token table only"):
        models.save_keras_nlp(
            small(activation="gelu_tanh"), tmp_path / "out", text.BertEmbedTokenizer(pieces)
        )
    assert list(tmp_path.iterdir()) == []
