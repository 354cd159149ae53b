"""An exported model loaded into this process, by TensorFlow's own Python."""

import tensorflow as tf
import tensorflow_text  # noqa: F401  # registers the tokenizer's ops, which loading needs

from tf_bertembed.common import FileFormatError

# What `tf.saved_model.load` raises where files are missing, cut short or of another program.
BROKEN = (AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError)


def load_exported(folder):
    """Load an exported model.

    Args:
        folder: string or `pathlib.Path`. One version of it.

    Returns:
        What `tf.saved_model.load` gives; its variables live as long as it does.

    Raises:
        FileFormatError: where it cannot be loaded.
    """
    try:
        return tf.saved_model.load(str(folder))
    except (*BROKEN, tf.errors.OpError) as error:
        told = " ".join(str(error).split())
        raise FileFormatError(folder, f"The model cannot be loaded: {told:.300}") from error
