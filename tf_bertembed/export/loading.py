"""An exported model loaded into this process, by TensorFlow's own Python."""

import tensorflow as tf
import tensorflow_text  # noqa: F401  # registers the tokenizer's ops, which loading needs

from tf_bertembed.common.damage import telling_damage


def load_exported(folder):
    """Load an exported model.

    Args:
        folder: string or `pathlib.Path`. One version of it.

    Returns:
        What `tf.saved_model.load` gives; its variables live as long as it does.

    Raises:
        FileFormatError: where it cannot be loaded.
    """
    with telling_damage(folder, more=(AttributeError, RuntimeError, tf.errors.OpError)):
        return tf.saved_model.load(str(folder))
