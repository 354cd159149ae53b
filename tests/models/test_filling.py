import keras
import numpy as np
import pytest

from tf_bertembed import models
from tf_bertembed.layers.initializers import BertInitializer

FUSED = {
    "num_tags": 3,
    "static_vocabulary_size": 5,
    "static_dim": 4,
    "input_fusion": "gate",
    "output_fusion": "gate",
}


def without_pooler(tensors):
    return {name: value for name, value in tensors.items() if "pooler" not in name}


def initializers(backbone):
    found = []
    for layer in backbone._flatten_layers():
        for name in ("kernel_initializer", "embeddings_initializer"):
            if hasattr(layer, name):
                found.append((layer.path, getattr(layer, name)))
    return found


def weights_by_path(backbone):
    return {weight.path: np.asarray(weight) for weight in backbone.weights}


@pytest.fixture(scope="module")
def drawn():
    """How many arrays a function draws."""

    def count(monkeypatch, function):
        drawn = []
        original = keras.initializers.TruncatedNormal.__call__

        def draw(self, *arguments, **settings):
            drawn.append(self)
            return original(self, *arguments, **settings)

        with monkeypatch.context() as patch:
            patch.setattr(keras.initializers.TruncatedNormal, "__call__", draw)
            return function(), len(drawn)

    return count


def test_nothing_is_drawn_that_a_checkpoint_fills(write, tmp_path, drawn, monkeypatch):
    folder = write()
    backbone, count = drawn(monkeypatch, lambda: models.load(folder))
    assert count == 0
    backbone.save_to_preset(str(tmp_path / "preset"))
    again, count = drawn(monkeypatch, lambda: models.load(tmp_path / "preset"))
    assert count == 0
    for one, other in zip(backbone.weights, again.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_a_checkpoint_lacks_starts_as_in_a_new_backbone(write):
    folder = write(change=without_pooler)

    def load(seed):
        keras.utils.set_random_seed(seed)
        return models.load(folder, **FUSED)

    backbone = load(7)
    loaded = weights_by_path(backbone)
    keras.utils.set_random_seed(7)
    fresh = weights_by_path(models.BertEmbedBackbone.from_config(backbone.get_config()))
    missing = ["pooler/kernel", "tag_embedding/embeddings"]
    missing += [f"{part}_fusion/gate/kernel" for part in ("input", "output", "pooled")]
    for path in missing:
        assert loaded[path].any()
        np.testing.assert_array_equal(loaded[path], fresh[path])
    assert not np.array_equal(loaded["pooler/kernel"], weights_by_path(load(8))["pooler/kernel"])


def test_a_loaded_backbone_keeps_its_initializers(write):
    folder = write()
    backbone = models.load(folder)
    new = models.BertEmbedBackbone.from_config(backbone.get_config())
    assert [i.get_config() for _, i in initializers(backbone)] == [
        i.get_config() for _, i in initializers(new)
    ]
    kinds = [i for _, i in initializers(backbone)]
    assert len(kinds) == 3 + 4 * backbone.num_layers
    assert all(isinstance(kind, BertInitializer) for kind in kinds)
    kernel = kinds[-1]((4, 4))
    assert np.asarray(kernel).any()
    assert models.BertEmbedBackbone.from_config(backbone.get_config()).weights[0].numpy().any()


def test_a_preset_without_its_weights_starts_at_random(write, tmp_path):
    models.load(write()).save_to_preset(str(tmp_path / "preset"))
    backbone = models.load(tmp_path / "preset", load_weights=False)
    assert np.asarray(backbone.pooler_dense.kernel).any()
