"""Reading a layer of this part out of the folder of a keras-nlp preset."""

from pathlib import Path

import keras

from tf_bertembed import common


def layer_from_preset(cls, preset, config_file, changes):
    """Make the layer that `config_file` describes, with some arguments changed, and its assets."""
    path = Path(preset) / config_file
    config = common.read_json(path, "A keras-nlp preset has one.")
    try:
        name = config["registered_name"]
        config["config"].update(changes)
    except (KeyError, AttributeError) as error:
        raise common.FileFormatError(path, "A serialised Keras layer was expected.") from error
    expected = keras.saving.get_registered_name(cls)
    if name != expected:
        raise common.FileFormatError(path, f"{expected} was expected. Received: {name}.")
    layer = keras.saving.deserialize_keras_object(config)
    layer.load_preset_assets(str(preset))
    return layer
