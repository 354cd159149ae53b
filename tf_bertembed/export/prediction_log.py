"""Requests to TensorFlow Serving as the records that its warm-up reads.

Written without the package `tensorflow-serving-api`, which nobody needs to train and to export.
"""

from tf_bertembed.export.c_library import STRING
from tf_bertembed.export.classify import EXAMPLES
from tf_bertembed.export.protos import message_class


def predict_log(signature, columns):
    """Write a request of predict.

    Args:
        signature: string. The name of the signature.
        columns: dict. Per input a list of strings.

    Returns:
        Bytes, a serialized `PredictionLog`.
    """
    log = message_class("PredictionLog")()
    request = log.predict_log.request
    request.model_spec.signature_name = signature
    for name, texts in columns.items():
        tensor = request.inputs[name]
        tensor.dtype = STRING
        tensor.tensor_shape.dim.add(size=len(texts))
        tensor.string_val.extend(text.encode() for text in texts)
    return log.SerializeToString(deterministic=True)


def classify_log(signature, columns):
    """Write a request of classify.

    Args:
        signature: string. The name of the signature.
        columns: dict. Serialized `tf.Example`s, a list of bytes, as `inputs`.

    Returns:
        Bytes, a serialized `PredictionLog`.
    """
    log = message_class("PredictionLog")()
    request = log.classify_log.request
    request.model_spec.signature_name = signature
    request.input.example_list.examples.extend(columns[EXAMPLES])
    return log.SerializeToString(deterministic=True)
