"""Classification and regression: signatures that take serialized `tf.Example`s.

Reference: tensorflow_serving/servables/tensorflow/classifier.cc and regressor.cc.
"""

import numpy as np

from tf_bertembed.export.signature_checks import CLASSIFY_METHOD, REGRESS_METHOD
from tf_bertembed.serving.errors import ServingError
from tf_bertembed.serving.loaded_model import DEFAULT_SIGNATURE


def classify(model, signature, examples, timeout=None):
    """Classify examples.

    Args:
        model: `LoadedModel`.
        signature: string. The name of the signature; empty for the default.
        examples: object array `[B]` of bytes, each a serialized `tf.Example`.
        timeout: float. As for `LoadedModel.run`.

    Returns:
        A pair: an object array `[B, C]` of bytes, the labels, and a float32
        array `[B, C]`, the scores; `None` for what the signature does not
        give.

    Raises:
        ServingError: where the signature is not for this, or the model fails.
    """
    name, chosen = _signature(model, signature, CLASSIFY_METHOD, "classification")
    if len(chosen.outputs) not in (1, 2):
        raise _invalid(f"Expected one or two output Tensors, found {len(chosen.outputs)}")
    if "inputs" not in chosen.inputs:
        raise _unsuitable(f"No classification inputs found in SignatureDef: {name}")
    wanted = [output for output in ("classes", "scores") if output in chosen.outputs]
    if not wanted:
        raise _unsuitable(
            "Expected classification signature outputs to contain at least one of "
            f'"classes" or "scores". Signature was: {name}'
        )
    answers = model.run(name, {"inputs": examples}, timeout, wanted)
    classes, scores = answers.get("classes"), answers.get("scores")
    for output, array, dtype, shown in (
        ("classes", classes, object, "DT_STRING"),
        ("scores", scores, np.float32, "DT_FLOAT"),
    ):
        if array is not None:
            _check_output(output, array, dtype, shown, len(examples))
    if classes is not None and scores is not None and classes.shape != scores.shape:
        raise _invalid(
            "Tensors class and score should match in dim_size(1). Got "
            f"{classes.shape[1]} vs. {scores.shape[1]}"
        )
    return classes, scores


def regress(model, signature, examples, timeout=None):
    """Give each example a value.

    Args:
        model: `LoadedModel`.
        signature: string. The name of the signature; empty for the default.
        examples: object array `[B]` of bytes, each a serialized `tf.Example`.
        timeout: float. As for `LoadedModel.run`.

    Returns:
        A float32 array `[B]`.

    Raises:
        ServingError: where the signature is not for this, or the model fails.
    """
    name, chosen = _signature(model, signature, REGRESS_METHOD, "regression")
    if len(chosen.outputs) != 1:
        raise _invalid("Expected one output Tensor.")
    if "inputs" not in chosen.inputs:
        raise _unsuitable(f"No regression inputs found in SignatureDef: {name}")
    if "outputs" not in chosen.outputs:
        raise _unsuitable(f"No regression outputs found in SignatureDef: {name}")
    values = model.run(name, {"inputs": examples}, timeout)["outputs"]
    if not (values.ndim == 1 or (values.ndim == 2 and values.shape[1] == 1)):
        raise _invalid(
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] "
            f"but got {list(values.shape)}"
        )
    if len(values) != len(examples):
        raise _invalid(
            f"Input batch size did not match output batch size: {len(examples)} vs. {len(values)}"
        )
    if values.dtype != np.float32:
        raise _invalid(f"Expected output Tensor of DT_FLOAT.  Got: {_data_type(values)}")
    return values.reshape(-1)


def _signature(model, signature, method, kind):
    name = signature or DEFAULT_SIGNATURE
    if name not in model.signatures:
        raise _invalid(f"No signature was found with the name: {name}")
    chosen = model.signatures[name]
    if chosen.method_name != method:
        raise _invalid(
            f"Expected {kind} signature method_name to be {method}. Was: {chosen.method_name}"
        )
    if len(chosen.inputs) != 1:
        raise _invalid("Expected one input Tensor.")
    return name, chosen


def _check_output(name, array, dtype, shown, size):
    if array.ndim != 2:
        raise _invalid(
            f"Expected Tensor shape: [batch_size num_classes] but got {list(array.shape)}"
        )
    if array.dtype != dtype:
        raise _invalid(f"Expected {name} Tensor of {shown}. Got: {_data_type(array)}")
    if len(array) != size:
        raise _invalid(f"Expected {name} output batch size of {size}. Got: {len(array)}")


def _data_type(array):
    return "DT_STRING" if array.dtype == object else f"DT_{array.dtype.name.upper()}"


def _invalid(message):
    return ServingError("INVALID_ARGUMENT", message)


def _unsuitable(message):
    return ServingError("FAILED_PRECONDITION", message)
