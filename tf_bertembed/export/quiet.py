"""TensorFlow's own messages, held back."""

import contextlib

import tensorflow as tf


@contextlib.contextmanager
def quiet_tensorflow(level):
    """Hold back what TensorFlow's Python logs below a level.

    Args:
        level: int. A level of `logging`.

    Yields:
        Nothing; afterwards the level is as it was.
    """
    logger = tf.get_logger()
    before = logger.level
    logger.setLevel(level)
    try:
        yield
    finally:
        logger.setLevel(before)
