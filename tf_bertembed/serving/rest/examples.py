"""`tf.Example` messages from the JSON of classify and regress requests.

Reference: tensorflow_serving/util/json_tensor.cc and
tensorflow_serving/servables/tensorflow/util.cc.
"""

import numpy as np
from tensorflow.core.example.example_pb2 import Example

from tf_bertembed.serving.rest.json_tensors import decode_b64, is_b64
from tf_bertembed.serving.rest.json_values import (
    RepeatedKeys,
    invalid,
    json_type,
    show,
    to_bytes,
)

_LISTS = {bytes: "bytes_list", float: "float_list", int: "int64_list"}
_KINDS = {"bytes_list": "bytes", "float_list": "float", "int64_list": "int64"}


def serialized_examples(document):
    """Read the examples of a request.

    Args:
        document: dict. The request, as `parse_json` gives it.

    Returns:
        An object array `[B]` of bytes, each a serialized `tf.Example` that
        begins with the features of the request's `context`.

    Raises:
        ServingError: INVALID_ARGUMENT, in the words of TensorFlow Serving.
    """
    context = b""
    if "context" in document:
        context = _example(document["context"]).SerializeToString()
    if "examples" not in document:
        raise invalid(
            f"JSON Value: {show(document)} When method is classify, key 'examples' "
            "is expected and was not found"
        )
    examples = document["examples"]
    if not isinstance(examples, list):
        raise invalid(
            f"JSON Value: {show(document)} Expecting 'examples' value to be an list/array"
        )
    if not examples:
        raise invalid(f"JSON Value: {show(document)} 'examples' value is an empty array")
    made = np.empty(len(examples), dtype=object)
    # A map of a message that follows another's is merged into it.
    made[:] = [context + _example(value).SerializeToString() for value in examples]
    return made


def _example(value):
    if not isinstance(value, dict):
        raise invalid(f"Example must be JSON object but got JSON {json_type(value)}")
    example = Example()
    named = value.last if isinstance(value, RepeatedKeys) else value
    for name, content in named.items():
        # A name that is not UTF-8 is none in a message.
        try:
            feature = example.features.feature[name]
        except (UnicodeEncodeError, ValueError):
            raise invalid(f"The name of a feature is not UTF-8: {show(name)}") from None
        kind = None
        for item in content if isinstance(content, list) else [content]:
            converted = _element(item, name)
            own = _LISTS[type(converted)]
            if kind not in (None, own):
                raise invalid(
                    f"Unexpected element type in feature: {name} expecting type: {_KINDS[kind]}"
                )
            kind = own
            getattr(feature, kind).value.append(converted)
    return example


def _element(value, name):
    if isinstance(value, str):
        return to_bytes(value)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int) and -(2**63) <= value < 2**64:
        if value >= 2**63:
            raise invalid(f"Feature: {name} has uint64 element. Only int64 is supported.")
        return value
    if isinstance(value, (int, float)):
        return _float(value)
    if is_b64(value):
        return decode_b64(value)
    raise invalid(f"Feature: {name} has element with unexpected JSON type: {json_type(value)}")


def _float(value):
    try:
        value = float(value)
    except OverflowError:
        raise invalid("JSON Parse error: Number too big to be stored in double.") from None
    if np.isfinite(value) and abs(value) > float(np.finfo(np.float32).max):
        raise invalid(
            f"Cannot convert JSON value: {show(value)} to float without loss of precision."
        )
    return value
