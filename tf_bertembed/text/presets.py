"""Reading a layer of this part out of the folder of a keras-nlp preset."""

from pathlib import Path

import keras

from tf_bertembed import common, text


def layer_from_preset(cls, preset, config_file, changes):
    """Make the layer that `config_file` describes, with some arguments changed, and its assets."""
    path = Path(preset) / config_file
    config = common.read_json(path, "A keras-nlp preset has one.")
    try:
        name = config["registered_name"]
        config["config"].update(changes)
    except (KeyError, AttributeError) as error:
        raise common.FileFormatError(path, "A serialised Keras layer was expected.") from error
    if not _names(name, cls):
        expected = keras.saving.get_registered_name(cls)
        raise common.FileFormatError(path, f"{expected} was expected. Received: {name}.")
    layer = keras.saving.deserialize_keras_object(config)
    layer.load_preset_assets(str(preset))
    return layer


def _names(name, cls):
    """Whether a registered name is that of a class of this part, or of a kind of it."""
    if name == keras.saving.get_registered_name(cls):
        return True
    # Asking for it registers it.
    plain = str(name).rpartition(">")[2]
    found = getattr(text, plain) if plain in text.__all__ else None
    kind = isinstance(found, type) and issubclass(found, cls)
    return kind and keras.saving.get_registered_name(found) == name
