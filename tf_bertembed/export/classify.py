"""TensorFlow Serving's classification requests: serialized `tf.Example`s in."""

import tensorflow as tf

# The names that TensorFlow Serving looks for (tensorflow/python/saved_model/signature_constants).
CLASSIFY = "classify"
EXAMPLES = "inputs"


def to_examples(columns):
    """Serialize rows as `tf.Example`s.

    Args:
        columns: dict. Per feature a list of N strings.

    Returns:
        A list of N bytes.
    """
    rows = zip(*columns.values(), strict=True)
    return [
        tf.train.Example(
            features=tf.train.Features(
                feature={
                    name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode()]))
                    for name, text in zip(columns, row, strict=True)
                }
            )
        ).SerializeToString(deterministic=True)
        for row in rows
    ]


def parse_examples(names):
    """Make what reads texts out of serialized `tf.Example`s, in the graph.

    Args:
        names: tuple of strings. The features, one string each.

    Returns:
        A function from a tuple of one string tensor `[B]` to a tuple of
        string tensors `[B]`, in the order of `names`.
    """
    wanted = {name: tf.io.FixedLenFeature([], tf.string) for name in names}

    def parse(serialized):
        with tf.device("cpu"):
            found = tf.io.parse_example(serialized[0], wanted)
        return tuple(found[name] for name in names)

    return parse
