import keras
import numpy as np
import pytest

from tf_bertembed import models
from tf_bertembed.common import BertEmbedError

ALL = ("query", "key", "value", "attention_output", "intermediate", "output")
TABLE = np.concatenate([np.zeros((1, 6)), np.random.default_rng(0).normal(size=(12, 6))])


def learn(backbone):
    """Give what adapts a backbone some value."""
    random = np.random.default_rng(4)
    for variable in backbone.trainable_variables:
        if "lora" in variable.name:
            variable.assign(0.3 * random.normal(size=variable.shape))
    return backbone


@pytest.fixture
def make(randomised):
    def make(targets=ALL, **arguments):
        backbone = randomised(**arguments)
        models.add_lora(backbone, 2, alpha=4, targets=targets)
        return learn(backbone)

    return make


def answers(backbone, batch):
    return {key: np.asarray(value, "float32") for key, value in backbone(batch).items()}


def same(ours, theirs, tolerance=1e-5):
    for key, value in theirs.items():
        assert np.abs(ours[key] - value).max() <= tolerance * np.abs(value).max()


def test_starts_as_the_backbone_that_it_was(randomised, features):
    backbone = randomised()
    batch = features(static=False)
    before = answers(backbone, batch)
    models.add_lora(backbone, 2, targets=ALL)
    for key, value in answers(backbone, batch).items():
        np.testing.assert_array_equal(value, before[key])


def test_what_is_trained(randomised):
    backbone = randomised(input_fusion="add", output_fusion="concat", num_layers=3)
    models.add_lora(backbone, 2, layers=2)
    trained = {v.path.rpartition("/")[0] for v in backbone.trainable_variables}
    near_head = {"input_fusion", "pooler", "output_fusion", "pooled_fusion"}
    assert {path for path in trained if "transformer" in path} == {
        "transformer_layer_1/attention/qkv",
        "transformer_layer_2/attention/qkv",
    }
    assert {path.split("/")[0] for path in trained if "transformer" not in path} == near_head
    thin = [v for v in backbone.trainable_variables if "lora" in v.name]
    # Queries and values, each 8 x 2 and 2 x 8, in two layers.
    assert sum(int(np.prod(v.shape)) for v in thin) == 2 * 2 * (8 * 2 + 2 * 8)


def test_queries_and_values_alone_change(make):
    dense = make(targets=("query", "value")).transformer_layers[0].attention.qkv_dense
    moved = np.abs(np.array(dense.kernel) - np.array(dense._kernel)).reshape(8, 3, 8).max((0, 2))
    assert moved[1] == 0
    assert moved[[0, 2]].min() > 0.01


def test_merging_changes_no_answer(make, features):
    backbone = make(output_fusion="concat", static_trainable=True)
    batch = features()
    before = answers(backbone, batch)
    models.merge_lora(backbone)
    same(answers(backbone, batch), before)
    assert not [v.path for v in backbone.weights if "lora" in v.path]
    assert len(backbone.trainable_variables) == len(backbone.weights)
    models.add_lora(backbone, 1)
    same(answers(backbone, batch), before)


@pytest.mark.parametrize(
    "dtype", ["float32", pytest.param("mixed_float16", marks=pytest.mark.slow)]
)
def test_saved_folders_and_files_hold_the_sums(dtype, make, features, tmp_path):
    backbone = make(dtype=dtype)
    batch = features(static=False)
    before = answers(backbone, batch)
    tolerance = 1e-5 if dtype == "float32" else 5e-3
    backbone.save_to_preset(str(tmp_path / "preset"))
    again = models.load(tmp_path / "preset", dtype=dtype)
    same(answers(again, batch), before, tolerance)
    assert len(again.trainable_variables) == len(again.weights)
    backbone.save(tmp_path / "backbone.keras")
    same(answers(keras.saving.load_model(tmp_path / "backbone.keras"), batch), before, tolerance)


def test_copies_and_other_formats_hold_the_sums(make, features, tmp_path):
    backbone = make()
    batch = features(static=False)
    before = answers(backbone, batch)
    models.save_huggingface(backbone, tmp_path / "huggingface")
    same(answers(models.load(tmp_path / "huggingface"), batch), before)
    fused = models.with_fusion(backbone, TABLE, input_fusion="add")
    same(answers(fused, features()), before)


def test_lora_files_of_keras(randomised, features, tmp_path):
    backbone = randomised()
    models.add_lora(backbone, 2)
    learn(backbone).save_lora_weights(str(tmp_path / "adapter.lora.h5"))
    other = randomised()
    other.load_lora_weights(str(tmp_path / "adapter.lora.h5"))
    batch = features(static=False)
    same(answers(other, batch), answers(backbone, batch))
    assert all("lora" in v.name or "pooler" in v.path for v in other.trainable_variables)


def test_what_cannot_be(randomised):
    backbone = randomised()
    with pytest.raises(BertEmbedError, match=r"Nothing in the backbone is adapted"):
        models.merge_lora(backbone)
    with pytest.raises(BertEmbedError, match=r"Received: \['query', 'qkv'\]"):
        models.add_lora(backbone, 2, targets=("query", "qkv"))
    with pytest.raises(BertEmbedError, match=r"`layers` must be from 1 to 2.*Received: 3"):
        models.add_lora(backbone, 2, layers=3)
    with pytest.raises(BertEmbedError, match=r"`rank` must be from 1 to 8"):
        models.add_lora(backbone, 9)
    assert len(backbone.trainable_variables) == len(backbone.weights)
    models.add_lora(backbone, 2)
    with pytest.raises(BertEmbedError, match="adapted already"):
        models.add_lora(backbone, 2)
