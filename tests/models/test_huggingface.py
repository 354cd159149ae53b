import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tf_bertembed import models, text
from tf_bertembed.common import BertEmbedError, FileFormatError, MissingFileError

WIDTH, INNER, LAYERS, PIECES, PLACES = 8, 16, 2, 20, 12
CONFIG = {
    "model_type": "bert",
    "vocab_size": PIECES,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 2,
    "hidden_size": WIDTH,
    "intermediate_size": INNER,
    "max_position_embeddings": PLACES,
    "type_vocab_size": 2,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
}
DROPOUTS = ("hidden_dropout_prob", "attention_probs_dropout_prob")


def made_tensors():
    """Random weights under the published names and shapes."""
    random = np.random.default_rng(0)
    shapes = {
        "embeddings.word_embeddings.weight": (PIECES, WIDTH),
        "embeddings.position_embeddings.weight": (PLACES, WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
    }

    def dense(name, inputs, outputs):
        shapes.update({f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)})

    def norm(name):
        shapes.update({f"{name}.weight": (WIDTH,), f"{name}.bias": (WIDTH,)})

    norm("embeddings.LayerNorm")
    for index in range(LAYERS):
        layer = f"encoder.layer.{index}"
        for part in ("query", "key", "value"):
            dense(f"{layer}.attention.self.{part}", WIDTH, WIDTH)
        dense(f"{layer}.attention.output.dense", WIDTH, WIDTH)
        norm(f"{layer}.attention.output.LayerNorm")
        dense(f"{layer}.intermediate.dense", WIDTH, INNER)
        dense(f"{layer}.output.dense", INNER, WIDTH)
        norm(f"{layer}.output.LayerNorm")
    dense("pooler.dense", WIDTH, WIDTH)
    return {name: random.normal(size=shape).astype("float32") for name, shape in shapes.items()}


@pytest.fixture(scope="module")
def tensors():
    return made_tensors()


@pytest.fixture
def write(tensors, tmp_path):
    """Write a folder out of changed configuration and changed tensors."""

    def write(config=None, change=None):
        changed = dict(tensors) if change is None else change(dict(tensors))
        (tmp_path / "config.json").write_text(json.dumps({**CONFIG, **(config or {})}))
        save_file(changed, tmp_path / "model.safetensors")
        return tmp_path

    return write


@pytest.fixture
def batch():
    return {
        "token_ids": np.array([[2, 7, 9, 3]], "int32"),
        "segment_ids": np.array([[0, 0, 1, 1]], "int32"),
        "padding_mask": np.ones((1, 4), bool),
    }


def answer(folder, batch, **overrides):
    outputs = models.load(folder, **overrides)(batch)
    return {key: np.asarray(value) for key, value in outputs.items()}


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
        lambda tensors: {**tensors, "embeddings.position_ids": np.arange(PLACES)[None]},
        lambda tensors: {
            **renamed("bert.{}".format)(tensors),
            "cls.predictions.bias": np.zeros(PIECES, "float32"),
        },
    ],
    ids=["prefix", "gamma-beta", "both", "position-ids", "heads"],
)
def test_other_names_of_the_same_weights(change, write, batch):
    expected = answer(write(), batch)
    got = answer(write(change=change), batch)
    for key, value in expected.items():
        np.testing.assert_array_equal(got[key], value)


def test_without_a_pooler(write, batch):
    expected = answer(write(), batch)

    def change(tensors):
        return {name: value for name, value in tensors.items() if "pooler" not in name}

    got = answer(write(change=change), batch)
    np.testing.assert_array_equal(got["sequence_output"], expected["sequence_output"])
    assert np.abs(got["pooled_output"] - expected["pooled_output"]).max() > 1e-3


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_weights_stored_in_half_precision(dtype, write, batch):
    import ml_dtypes

    kind = np.dtype(dtype if dtype == "float16" else ml_dtypes.bfloat16)
    folder = write(change=lambda tensors: {name: v.astype(kind) for name, v in tensors.items()})
    backbone = models.load(folder)
    table = backbone.token_embedding.embeddings
    assert table.dtype == "float32"
    expected = made_tensors()["embeddings.word_embeddings.weight"].astype(kind).astype("float32")
    np.testing.assert_array_equal(table, expected)


def test_bfloat16_is_read_in_a_fresh_process(write):
    """Here ml_dtypes is imported already; where nothing did so, it must load too."""
    import ml_dtypes

    folder = write(
        change=lambda tensors: {k: v.astype(ml_dtypes.bfloat16) for k, v in tensors.items()}
    )
    shapes = [(name, value.shape) for name, value in made_tensors().items()]
    code = (
        "import sys\n"
        "from tf_bertembed.models import tensors_file\n"
        "for name in [n for n in sys.modules if n.split('.')[0] == 'safetensors']:\n"
        "    del sys.modules[name]\n"
        f"source = tensors_file.SafetensorsSource({str(folder / 'model.safetensors')!r})\n"
        f"print(len([source.get(name, shape) for name, shape in {shapes}]))"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    assert int(process.stdout) == len(made_tensors())


def test_a_number_type_that_numpy_lacks(write):
    weights = write() / "model.safetensors"
    content = weights.read_bytes()
    size = int.from_bytes(content[:8], "little")
    # Another type of one byte a component.
    header = json.loads(content[8 : 8 + size])
    name = next(name for name in header if name != "__metadata__")
    header[name]["dtype"] = "F8_E8M0"
    header[name]["shape"] = [header[name]["data_offsets"][1] - header[name]["data_offsets"][0]]
    encoded = json.dumps(header).encode()
    weights.write_bytes(len(encoded).to_bytes(8, "little") + encoded + content[8 + size :])
    with pytest.raises(FileFormatError, match=r"model\.safetensors: .* number type .*float8_e8m0"):
        models.load(weights.parent)


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
    assert (backbone.num_layers, backbone.max_sequence_length) == (LAYERS, PLACES)


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


@pytest.mark.parametrize("kept", [3, 200, -100])
def test_a_truncated_file(kept, write):
    weights = write() / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:kept])
    with pytest.raises(
        FileFormatError, match=r"model\.safetensors: The safetensors data is broken"
    ):
        models.load(weights.parent)


def test_an_empty_file(write):
    weights = write() / "model.safetensors"
    weights.write_bytes(b"")
    with pytest.raises(BertEmbedError, match=r"model\.safetensors.* empty"):
        models.load(weights.parent)


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


def test_a_pickle_is_never_read(write):
    folder = write()
    shutil.move(folder / "model.safetensors", folder / "pytorch_model.bin")
    with pytest.raises(FileFormatError, match=r"pytorch_model\.bin: This is a pickle.*safetensors"):
        models.load(folder)


def test_the_real_checkpoint_is_read_in_full(folder, minilm):
    stored = load_file(folder / "model.safetensors")
    names = [name for name in stored if "position_ids" not in name]
    assert minilm.count_params() == sum(stored[name].size for name in names)


def test_weights_that_only_look_real(write):
    name = "encoder.layer.0.output.dense.bias"
    folder = write(change=lambda tensors: {**tensors, name: np.zeros(WIDTH, "int8")})
    with pytest.raises(FileFormatError, match=rf"{name} should hold real numbers.* int8"):
        models.load(folder)


def test_a_link_to_weights_and_a_link_to_nothing(write, batch):
    # So the hub's cache keeps them.
    weights = write() / "model.safetensors"
    expected = answer(weights.parent, batch)["pooled_output"]
    weights.rename(weights.with_name("blob"))
    weights.symlink_to("blob")
    np.testing.assert_array_equal(answer(weights.parent, batch)["pooled_output"], expected)
    weights.with_name("blob").unlink()
    with pytest.raises(MissingFileError, match=r"model\.safetensors does not exist"):
        models.load(weights.parent)


@pytest.mark.parametrize("content", [b"garbage", b"\x00" * 100, b"\xff" * 100])
def test_garbage(content, write):
    weights = write() / "model.safetensors"
    weights.write_bytes(content)
    with pytest.raises(FileFormatError, match=r"model\.safetensors: The safetensors data is brok"):
        models.load(weights.parent)


def test_a_folder_in_place_of_weights(write):
    weights = write() / "model.safetensors"
    weights.unlink()
    weights.mkdir()
    with pytest.raises(FileFormatError, match=r"model\.safetensors.* this is a folder"):
        models.load(weights.parent)


@pytest.fixture
def shards(write, tensors):
    """Two files and their index, of which the map may be changed."""

    def shards(change=lambda weight_map: weight_map):
        folder = write()
        (folder / "model.safetensors").unlink()
        files = {f"model-0000{part}-of-00002.safetensors": {} for part in (1, 2)}
        for number, (name, value) in enumerate(tensors.items()):
            files[sorted(files)[number % 2]][name] = value
        for file, content in files.items():
            save_file(content, folder / file)
        weight_map = change({name: file for file in files for name in files[file]})
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
        return folder

    return shards


def test_sharded_weights(shards, write, batch):
    got = answer(shards(), batch)
    for key, value in answer(write(), batch).items():
        np.testing.assert_array_equal(got[key], value)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda _: None, FileFormatError, r"index\.json: `weight_map` must give"),
        (lambda _: {}, FileFormatError, r"`weight_map` must give"),
        (lambda _: {"a": "../model.safetensors"}, FileFormatError, "a file beside the index"),
        (lambda _: {"a": ".."}, FileFormatError, "a file beside the index"),
        (lambda _: {"a": 1}, FileFormatError, "a file beside the index"),
        (
            lambda weight_map: dict.fromkeys(weight_map, "model-00001-of-00002.safetensors"),
            FileFormatError,
            r"00001-of-00002\.safetensors: The tensor \S+ is missing, which model\.safetensors\.i",
        ),
        (
            lambda weight_map: {**weight_map, "a": "model-00003-of-00003.safetensors"},
            MissingFileError,
            r"model-00003-of-00003\.safetensors does not exist",
        ),
        (
            lambda weight_map: {k: v for k, v in weight_map.items() if "Norm.bias" not in k},
            FileFormatError,
            r"index\.json: The tensor embeddings\.LayerNorm\.bias is missing",
        ),
    ],
)
def test_a_broken_index(change, error, message, shards):
    with pytest.raises(error, match=message):
        models.load(shards(change))


def test_a_truncated_shard(shards):
    folder = shards()
    shard = folder / "model-00002-of-00002.safetensors"
    shard.write_bytes(shard.read_bytes()[:-8])
    with pytest.raises(FileFormatError, match=r"model-00002-of-00002\.safetensors: The safetens"):
        models.load(folder)


def test_a_sharded_pickle_is_never_read(write):
    folder = write()
    shutil.move(folder / "model.safetensors", folder / "pytorch_model.bin.index.json")
    with pytest.raises(FileFormatError, match=r"bin\.index\.json: This is a pickle"):
        models.load(folder)


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
    published = json.loads((folder / "config.json").read_text())
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    shared = published.keys() & config.keys()
    assert len(shared) > 12
    assert {key: config[key] for key in shared} == {key: published[key] for key in shared}
