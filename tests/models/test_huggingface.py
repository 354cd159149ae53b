import json
import warnings

import numpy as np
import pytest
from safetensors.numpy import load_file

from tf_bertembed import models, text
from tf_bertembed.common import BertEmbedError, FileFormatError, MissingFileError

DROPOUTS = ("hidden_dropout_prob", "attention_probs_dropout_prob")


def renamed(form):
    return lambda tensors: {form(name): value for name, value in tensors.items()}


def old_names(name):
    return name.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta")


@pytest.mark.parametrize(
    "change",
    [
        renamed("bert.{}".format),
        renamed(old_names),
        renamed(lambda name: f"bert.{old_names(name)}"),
        lambda tensors: {**tensors, "embeddings.position_ids": np.arange(12)[None]},
        lambda tensors: {
            **renamed("bert.{}".format)(tensors),
            "cls.predictions.bias": np.zeros(20, "float32"),
        },
    ],
    ids=["prefix", "gamma-beta", "both", "position-ids", "heads"],
)
def test_other_names_of_the_same_weights(change, write, batch, answer):
    expected = answer(write(), batch)
    got = answer(write(change=change), batch)
    for key, value in expected.items():
        np.testing.assert_array_equal(got[key], value)


def test_without_a_pooler(write, batch, answer):
    expected = answer(write(), batch)

    def change(tensors):
        return {name: value for name, value in tensors.items() if "pooler" not in name}

    got = answer(write(change=change), batch)
    np.testing.assert_array_equal(got["sequence_output"], expected["sequence_output"])
    assert np.abs(got["pooled_output"] - expected["pooled_output"]).max() > 1e-3


@pytest.mark.parametrize(
    ("name", "ours"),
    [("gelu", "gelu"), ("gelu_new", "gelu_tanh"), ("gelu_pytorch_tanh", "gelu_tanh")],
)
def test_activations(name, ours, write):
    assert models.load(write({"hidden_act": name})).activation == ours


def test_sizes_and_overrides(write):
    folder = write({"layer_norm_eps": 1e-5, **dict.fromkeys(DROPOUTS, 0.2)})
    backbone = models.load(folder, dtype="mixed_bfloat16", name="mine")
    assert backbone.layer_norm_epsilon == 1e-5
    assert backbone.dropout == 0.2
    assert backbone.dtype_policy.name == "mixed_bfloat16"
    assert backbone.name == "mine"
    assert (backbone.num_layers, backbone.max_sequence_length) == (2, 12)


def test_dropouts_that_differ(write):
    folder = write(dict(zip(DROPOUTS, (0.2, 0.3), strict=True)))
    with pytest.warns(UserWarning, match=r"prob=0\.2, attention_probs_dropout_prob=0\.3"):
        assert models.load(folder).dropout == 0.2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert models.load(folder, dropout=0.0).dropout == 0.0


@pytest.mark.parametrize(
    "override",
    [
        {"hidden_dim": 16},
        {"activation": "relu"},
        {"embedding_dim": 4},
        {"norm_first": True},
        {"position_embedding": "sinusoidal"},
    ],
    ids=lambda override: next(iter(override)),
)
def test_overrides_that_contradict_the_weights(override, write):
    with pytest.raises(BertEmbedError, match=f"fixes \\['{next(iter(override))}'\\]"):
        models.load(write(), **override)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model_type": "roberta"}, r"`model_type` must be 'bert'\. Received: 'roberta'"),
        ({"position_embedding_type": "relative_key"}, "must be 'absolute'.*'relative_key'"),
        ({"hidden_act": "silu"}, r"`hidden_act` must be one of .*Received: 'silu'"),
        ({"hidden_act": []}, r"config\.json: `hidden_act` must be one of .*Received: \[\]"),
        ({"is_decoder": True}, "`is_decoder` must be False"),
        ({"layer_norm_eps": "1e-12"}, "`layer_norm_eps` must be a number"),
        ({"layer_norm_eps": float("inf")}, r"`layer_norm_eps` must be a number.*Received: inf"),
        ({"layer_norm_eps": float("nan")}, r"`layer_norm_eps` must be a number.*Received: nan"),
        ({"hidden_dropout_prob": 1}, r"`hidden_dropout_prob` .* below 1\. Received: 1"),
        ({"vocab_size": None}, r"whole numbers for \['vocab_size'\]"),
        ({"hidden_size": "8"}, r"whole numbers for \['hidden_size'\]"),
        ({"type_vocab_size": "2"}, r"whole numbers for \['type_vocab_size'\]"),
        ({"num_hidden_layers": 1}, r"says 1 layers, but encoder\.layer\.1\."),
        ({"num_hidden_layers": 3}, r"The tensor encoder\.layer\.2\.\S+ is missing"),
        ({"vocab_size": 21}, r"\(20, 8\); by config\.json it should be \(21, 8\)"),
        ({"max_position_embeddings": 11}, r"position_embeddings\.weight has the shape \(12, 8\)"),
        ({"num_attention_heads": 3}, "hidden_dim=8, num_heads=3"),
    ],
)
def test_a_configuration_that_does_not_hold(config, message, write):
    with pytest.raises(BertEmbedError, match=message):
        models.load(write(config))


def test_a_missing_tensor(write):
    name = "encoder.layer.1.attention.self.key.bias"

    def change(tensors):
        del tensors[name]
        return renamed("bert.{}".format)(tensors)

    with pytest.raises(FileFormatError, match=rf"model\.safetensors: The tensor bert\.{name} is"):
        models.load(write(change=change))


def test_a_tensor_of_the_wrong_shape(write):
    name = "encoder.layer.0.intermediate.dense.weight"

    def change(tensors):
        return {**tensors, name: np.ascontiguousarray(tensors[name].T)}

    with pytest.raises(FileFormatError, match=rf"{name} has the shape \(8, 16\).*\(16, 8\)"):
        models.load(write(change=change))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"{\n 'a': 1}", r"line 2: JSON was expected"),
        (b"[1]", "JSON object was expected. Received: a list"),
        (b'{"model_type": "b\xe9rt"}', "UTF-8 text was expected"),
    ],
)
def test_a_configuration_that_is_no_json(content, message, write):
    config = write() / "config.json"
    config.write_bytes(content)
    with pytest.raises(BertEmbedError, match=rf"config\.json.*{message}"):
        models.load(config.parent)


def test_missing_files(write, tmp_path):
    with pytest.raises(MissingFileError, match="nowhere does not exist"):
        models.load_huggingface(tmp_path / "nowhere")
    folder = write()
    (folder / "model.safetensors").unlink()
    with pytest.raises(MissingFileError, match=r"model\.safetensors does not exist"):
        models.load(folder)
    (folder / "config.json").unlink()
    with pytest.raises(MissingFileError, match=r"config\.json does not exist"):
        models.load_huggingface(folder)


def test_the_real_checkpoint_is_read_in_full(folder, minilm):
    stored = load_file(folder / "model.safetensors")
    names = [name for name in stored if "position_ids" not in name]
    assert minilm.count_params() == sum(stored[name].size for name in names)


def test_the_real_checkpoint_out_again(folder, minilm, tmp_path):
    tokenizer = text.BertEmbedTokenizer.from_folder(folder)
    models.save_huggingface(minilm, tmp_path / "out", tokenizer)
    expected = load_file(folder / "model.safetensors")
    expected.pop("embeddings.position_ids", None)
    written = load_file(tmp_path / "out" / "model.safetensors")
    assert written.keys() == expected.keys()
    for name, value in expected.items():
        assert (written[name].dtype, written[name].shape) == (value.dtype, value.shape)
        assert written[name].tobytes() == value.tobytes(), name
    assert (tmp_path / "out" / "vocab.txt").read_bytes() == (folder / "vocab.txt").read_bytes()
    assert len({path.stat().st_mode for path in (tmp_path / "out").iterdir()}) == 1
    published = json.loads((folder / "config.json").read_text())
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    shared = published.keys() & config.keys()
    assert len(shared) > 12
    assert {key: config[key] for key in shared} == {key: published[key] for key in shared}
