"""Weights in safetensors files, whole, in parts and broken."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import save_file

from tf_bertembed import models
from tf_bertembed.common import BertEmbedError, FileFormatError, MissingFileError
from tf_bertembed.models.tensors_file import SafetensorsSource


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_weights_stored_in_half_precision(dtype, write, tensors):
    import ml_dtypes

    kind = np.dtype(dtype if dtype == "float16" else ml_dtypes.bfloat16)
    folder = write(change=lambda tensors: {name: v.astype(kind) for name, v in tensors.items()})
    backbone = models.load(folder)
    table = backbone.token_embedding.embeddings
    assert table.dtype == "float32"
    expected = tensors["embeddings.word_embeddings.weight"].astype(kind).astype("float32")
    np.testing.assert_array_equal(table, expected)


def test_bfloat16_is_read_in_a_fresh_process(write, tensors):
    """Here ml_dtypes is imported already; where nothing did so, it must load too."""
    import ml_dtypes

    folder = write(
        change=lambda tensors: {k: v.astype(ml_dtypes.bfloat16) for k, v in tensors.items()}
    )
    shapes = [(name, value.shape) for name, value in tensors.items()]
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
    assert int(process.stdout) == len(tensors)


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


def test_weights_that_only_look_real(write):
    name = "encoder.layer.0.output.dense.bias"
    folder = write(change=lambda tensors: {**tensors, name: np.zeros(8, "int8")})
    with pytest.raises(FileFormatError, match=rf"{name} should hold real numbers.* int8"):
        models.load(folder)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        ("nan", "float32"),
        ("inf", "float32"),
        ("-inf", "float16"),
        ("nan", "bfloat16"),
        ("1e300", "float64"),
    ],
)
def test_weights_that_are_not_finite(value, dtype, tmp_path):
    import ml_dtypes

    array = np.zeros((2, 3))
    array[1, 2] = float(value)
    kind = np.dtype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
    save_file({"bert.pooler.dense.weight": array.astype(kind)}, tmp_path / "model.safetensors")
    source = SafetensorsSource(tmp_path / "model.safetensors")
    with pytest.raises(
        FileFormatError, match=r"model\.safetensors: The tensor bert\.pooler\.dense\.weight holds"
    ):
        source.get("pooler.dense.weight", (2, 3))


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


def test_a_link_to_weights_and_a_link_to_nothing(write, batch, answer):
    # So the hub's cache keeps them.
    weights = write() / "model.safetensors"
    expected = answer(weights.parent, batch)["pooled_output"]
    weights.rename(weights.with_name("blob"))
    weights.symlink_to("blob")
    np.testing.assert_array_equal(answer(weights.parent, batch)["pooled_output"], expected)
    weights.with_name("blob").unlink()
    with pytest.raises(MissingFileError, match=r"model\.safetensors does not exist"):
        models.load(weights.parent)


def test_a_pickle_is_never_read(write):
    folder = write()
    shutil.move(folder / "model.safetensors", folder / "pytorch_model.bin")
    with pytest.raises(FileFormatError, match=r"pytorch_model\.bin: This is a pickle.*safetensors"):
        models.load(folder)


def test_a_sharded_pickle_is_never_read(write):
    folder = write()
    shutil.move(folder / "model.safetensors", folder / "pytorch_model.bin.index.json")
    with pytest.raises(FileFormatError, match=r"bin\.index\.json: This is a pickle"):
        models.load(folder)


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


def test_sharded_weights(shards, write, batch, answer):
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
