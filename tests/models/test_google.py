import importlib.util
import json
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from tf_bertembed import models
from tf_bertembed.common import BertEmbedError, FileFormatError, MissingFileError

TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def write(google_checkpoints):
    return google_checkpoints.write_google


@pytest.fixture(scope="module")
def variables(google_checkpoints):
    return google_checkpoints.google_variables()


@pytest.fixture(scope="module")
def whole(write, variables, tmp_path_factory):
    """A folder that is as it should be, for tests that do not change it."""
    return write(tmp_path_factory.mktemp("google") / "uncased_L-2_H-8_A-2", variables)


@pytest.fixture(scope="module")
def loaded(whole):
    return models.load(whole)


@pytest.fixture(scope="module")
def reference(google_checkpoints, variables, tmp_path_factory):
    """The independent computation, of the weights under their other published names."""
    place = Path(__file__).with_name("reference.py")
    spec = importlib.util.spec_from_file_location("tests_models_reference", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = tmp_path_factory.mktemp("reference")
    save_file(google_checkpoints.published_tensors(variables), folder / "model.safetensors")

    def make(activation):
        config = {**google_checkpoints.CONFIG, "hidden_act": activation, "layer_norm_eps": 1e-12}
        (folder / "config.json").write_text(json.dumps(config))
        return module.ReferenceBert(folder)

    return make


@pytest.fixture(scope="module")
def batch():
    random = np.random.default_rng(5)
    mask = np.arange(12) < np.array([12, 7, 2])[:, None]
    return {
        "token_ids": (random.integers(5, 20, (3, 12)) * mask).astype("int32"),
        "segment_ids": (random.integers(2, size=(3, 12)) * mask).astype("int32"),
        "padding_mask": mask,
    }


def difference(got, expected):
    """The largest difference over the largest magnitude."""
    return np.abs(np.asarray(got, "float64") - expected).max() / np.abs(expected).max()


@pytest.mark.parametrize(("activation", "form"), [(None, "gelu_new"), ("gelu", "gelu")])
def test_the_same_numbers(activation, form, whole, reference, batch):
    """`gelu` is the tanh form in Google's released code, and the other forms are asked for."""
    states, _, pooled = reference(form)(**batch)
    outputs = models.load_google(whole, activation=activation)(batch)
    mask = batch["padding_mask"]
    got = np.asarray(outputs["sequence_output"])
    assert difference(got[mask], states[-1][mask]) <= TOLERANCE
    assert difference(outputs["pooled_output"], pooled) <= TOLERANCE


def test_the_comparison_sees_the_other_gelu(loaded, reference, batch):
    states, _, _ = reference("gelu")(**batch)
    got = loaded(batch)["sequence_output"]
    mask = batch["padding_mask"]
    assert difference(np.asarray(got)[mask], states[-1][mask]) > 3 * TOLERANCE


def test_load_knows_the_format(whole, batch):
    assert models.checkpoint_format(whole) == "google"
    backbone = models.load(whole, dropout=0.0, name="mine")
    assert (backbone.dropout, backbone.name, backbone.activation) == (0.0, "mine", "gelu_tanh")
    assert (backbone.num_layers, backbone.max_sequence_length) == (2, 12)
    assert backbone.layer_norm_epsilon == 1e-12


def test_relu(write, variables, reference, batch, tmp_path):
    folder = write(tmp_path, variables, {"hidden_act": "relu"})
    states, _, _ = reference("relu")(**batch)
    got = np.asarray(models.load_google(folder)(batch)["sequence_output"])
    mask = batch["padding_mask"]
    assert difference(got[mask], states[-1][mask]) <= TOLERANCE


def test_a_fine_tuned_checkpoint_of_another_name(write, variables, loaded, batch, tmp_path):
    folder = write(tmp_path, variables, name="model.ckpt-343")
    expected = loaded(batch)["pooled_output"]
    np.testing.assert_array_equal(models.load(folder)(batch)["pooled_output"], expected)


def test_weights_in_bfloat16(write, variables, tmp_path):
    halved = {
        name: value.astype(ml_dtypes.bfloat16) if value.dtype == "float32" else value
        for name, value in variables.items()
    }
    table = models.load(write(tmp_path, halved)).token_embedding.embeddings
    expected = halved["bert/embeddings/word_embeddings"].astype("float32")
    np.testing.assert_array_equal(table, expected)


def test_word_vectors_join(whole):
    backbone = models.load(
        whole, static_vocabulary_size=4, static_dim=3, output_fusion="concat", dropout=0.0
    )
    assert backbone.output_dim == 11


def test_optimizer_slots_are_not_needed(write, variables, loaded, tmp_path):
    kept = {n: v for n, v in variables.items() if "adam" not in n}
    folder = write(tmp_path, {n: v for n, v in kept.items() if n != "global_step"})
    for one, other in zip(models.load(folder).weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_without_a_pooler(write, variables, loaded, batch, tmp_path):
    folder = write(tmp_path, {n: v for n, v in variables.items() if "pooler" not in n})
    expected = loaded(batch)["sequence_output"]
    np.testing.assert_array_equal(models.load(folder)(batch)["sequence_output"], expected)


def test_a_missing_tensor(write, variables, tmp_path):
    name = "bert/encoder/layer_1/attention/self/key/bias"
    folder = write(tmp_path, {n: v for n, v in variables.items() if n != name})
    with pytest.raises(FileFormatError, match=rf"bert_model\.ckpt: The tensor {name} is missing"):
        models.load(folder)


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [
        ("bert/encoder/layer_0/intermediate/dense/kernel", (16, 8), (8, 16)),
        ("bert/embeddings/word_embeddings", (19, 8), (20, 8)),
        ("bert/embeddings/LayerNorm/gamma", (9,), (8,)),
    ],
)
def test_a_tensor_of_the_wrong_shape(name, shape, expected, write, variables, tmp_path):
    folder = write(tmp_path, {**variables, name: np.zeros(shape, "float32")})
    with pytest.raises(FileFormatError) as caught:
        models.load(folder)
    assert f"The tensor {name} has the shape {shape}; by bert_config.json" in str(caught.value)
    assert str(caught.value).endswith(f"it should be {expected}.")


def test_a_tensor_of_whole_numbers(write, variables, tmp_path):
    name = "bert/pooler/dense/bias"
    folder = write(tmp_path, {**variables, name: np.zeros(8, "int32")})
    with pytest.raises(FileFormatError, match=rf"{name} should hold real numbers.*int32"):
        models.load(folder)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"num_hidden_layers": 1}, r"bert_config\.json says 1 layers, but bert/encoder/layer_1/"),
        ({"num_hidden_layers": 3}, r"The tensor bert/encoder/layer_2/\S+ is missing"),
        ({"vocab_size": 21}, r"word_embeddings has the shape \(20, 8\); .*\(21, 8\)"),
        ({"hidden_size": 10}, r"has the shape \(20, 8\); .*\(20, 10\)"),
        ({"intermediate_size": 17}, r"dense/kernel has the shape \(8, 16\); .*\(8, 17\)"),
        ({"num_attention_heads": 3}, "hidden_dim=8, num_heads=3"),
        ({"hidden_act": "tanh"}, r"`hidden_act` must be one of .*Received: 'tanh'"),
        ({"vocab_size": None}, r"bert_config\.json: .*whole numbers for \['vocab_size'\]"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_configuration_that_does_not_hold(config, message, write, variables, tmp_path):
    with pytest.raises(BertEmbedError, match=message):
        models.load(write(tmp_path, variables, config))


@pytest.mark.parametrize("kept", [0, 3, 3000])
def test_a_data_file_cut_off(kept, write, variables, tmp_path):
    folder = write(tmp_path, variables)
    data = folder / "bert_model.ckpt.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:kept])
    with pytest.raises(FileFormatError, match=r"The tensor bert/\S+ cannot be read: a data file"):
        models.load(folder)


def test_a_damaged_data_file(write, variables, tmp_path):
    folder = write(tmp_path, variables)
    data = folder / "bert_model.ckpt.data-00000-of-00001"
    data.write_bytes(bytes(byte ^ 1 for byte in data.read_bytes()))
    with pytest.raises(FileFormatError, match=r"The tensor bert/\S+ cannot be read.*[Cc]hecksum"):
        models.load(folder)


def test_a_missing_data_file(write, variables, tmp_path):
    folder = write(tmp_path, variables)
    (folder / "bert_model.ckpt.data-00000-of-00001").unlink()
    with pytest.raises(FileFormatError, match=r"tensor bert/\S+ cannot be read: .*No such file"):
        models.load(folder)


@pytest.mark.parametrize("kept", [0, 20, 500])
def test_an_index_cut_off(kept, write, variables, tmp_path):
    folder = write(tmp_path, variables)
    index = folder / "bert_model.ckpt.index"
    index.write_bytes(index.read_bytes()[:kept])
    with pytest.raises(FileFormatError, match=r"bert_model\.ckpt\.index: .*index is broken"):
        models.load(folder)


def test_missing_files(write, variables, tmp_path):
    with pytest.raises(MissingFileError, match=r"nowhere does not exist"):
        models.load_google(tmp_path / "nowhere")
    folder = write(tmp_path, variables)
    (folder / "bert_model.ckpt.index").unlink()
    with pytest.raises(MissingFileError, match=r"bert_model\.ckpt\.index does not exist"):
        models.load(folder)
    (folder / "bert_config.json").unlink()
    with pytest.raises(MissingFileError, match=r"bert_config\.json does not exist"):
        models.load_google(folder)
    with pytest.raises(MissingFileError, match=r"config\.json does not exist.*bert_config\.json"):
        models.load(folder)


def test_several_checkpoints(write, variables, tmp_path):
    for name in ("model.ckpt-1", "model.ckpt-2"):
        folder = write(tmp_path, variables, name=name)
    with pytest.raises(FileFormatError, match=r"One checkpoint.*model\.ckpt-1.*model\.ckpt-2"):
        models.load(folder)


def test_an_override_that_contradicts(whole):
    with pytest.raises(BertEmbedError, match=r"A Google BERT folder fixes \['hidden_dim'\]"):
        models.load(whole, hidden_dim=16)
