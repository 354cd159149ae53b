"""Reading a layer of this part out of the folder of a keras-nlp preset."""

import json
from pathlib import Path

import keras

from tf_bertembed import common


def layer_from_preset(cls, preset, config_file, changes):
    """Make the layer that `config_file` describes, with some arguments changed, and its assets."""
    path = common.require_file(Path(preset) / config_file, "A keras-nlp preset has one.")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        name = config["registered_name"]
        config["config"].update(changes)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise common.FileFormatError(path, "A serialised Keras layer was expected.") from error
    expected = keras.saving.get_registered_name(cls)
    if name != expected:
        raise common.FileFormatError(path, f"{expected} was expected. Received: {name}.")
    layer = keras.saving.deserialize_keras_object(config)
    layer.load_preset_assets(str(preset))
    return layer
