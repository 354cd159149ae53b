import json

import keras
import numpy as np
import pytest

from tf_bertembed import models
from tf_bertembed.common import FileFormatError, MissingFileError

EVERYTHING = {
    "input_fusion": "gate",
    "output_fusion": "concat",
    "norm_first": True,
    "embedding_dim": 4,
    "num_tags": 3,
    "position_embedding": "sinusoidal",
    "activation": "gelu_tanh",
    "dropout": 0.3,
    "static_dropout": 0.2,
    "static_normalize": "standard",
    "normalize_encoded": False,
}


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_preset_round_trip(dtype, randomised, features, tmp_path):
    backbone = randomised(**EVERYTHING, dtype=dtype)
    backbone.save_to_preset(str(tmp_path / "preset"))
    again = models.load(tmp_path / "preset", dtype=dtype)
    assert again.get_config() == backbone.get_config()
    batch = features(tags=3)
    for key, value in backbone(batch).items():
        np.testing.assert_array_equal(np.asarray(again(batch)[key]), np.asarray(value))


def test_a_preset_is_loaded_in_the_current_dtype(randomised, features, tmp_path):
    randomised(dtype="mixed_float16").save_to_preset(str(tmp_path))
    assert models.BertEmbedBackbone.from_preset(str(tmp_path)).dtype_policy.name == "float32"
    assert models.load(tmp_path).dtype_policy.name == "float32"
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        assert models.load(tmp_path).dtype_policy.name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy("float32")


def test_keras_file_round_trip(randomised, features, tmp_path):
    backbone = randomised(**EVERYTHING)
    backbone.save(tmp_path / "backbone.keras")
    again = keras.saving.load_model(tmp_path / "backbone.keras")
    assert isinstance(again, models.BertEmbedBackbone)
    batch = features(tags=3)
    for key, value in backbone(batch).items():
        np.testing.assert_array_equal(again(batch)[key], value)


def test_a_preset_of_another_model(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"registered_name": "keras_hub>Other"}))
    with pytest.raises(
        FileFormatError, match=r"A preset of BertEmbedBackbone or .*keras_hub>Other"
    ):
        models.load(tmp_path)


def test_a_folder_from_before_the_options_of_fusion(randomised, features, tmp_path):
    backbone = randomised(input_fusion="add", output_fusion="gate")
    backbone.save_to_preset(str(tmp_path))
    place = tmp_path / "config.json"
    config = json.loads(place.read_text())
    for name in ("static_dropout", "static_normalize", "normalize_encoded"):
        del config["config"][name]
    place.write_text(json.dumps(config))
    again = models.load(tmp_path)
    assert again.get_config() == backbone.get_config()
    np.testing.assert_array_equal(
        again(features())["pooled_output"], backbone(features())["pooled_output"]
    )


def test_missing_places(tmp_path):
    with pytest.raises(MissingFileError, match=r"nowhere does not exist.*all-minilm-l6-v2"):
        models.load(tmp_path / "nowhere")
    with pytest.raises(MissingFileError, match=r"config\.json does not exist"):
        models.load(tmp_path)
    (tmp_path / "file").write_text("text")
    with pytest.raises(ValueError, match=r"A checkpoint is a folder\. Received the file"):
        models.load(tmp_path / "file")
