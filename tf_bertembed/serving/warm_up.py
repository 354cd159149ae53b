"""The recorded requests of a version, answered once before clients are let in."""

import logging

import tensorflow as tf

from tf_bertembed.export.warmup_replay import MOST_RECORDS, WARMUP
from tf_bertembed.serving.errors import ServingError
from tf_bertembed.serving.loaded_model import DEFAULT_SIGNATURE

logger = logging.getLogger(__name__)


def warm_up(model):
    """Replay the warm-up file of a version, as TensorFlow Serving does.

    Args:
        model: `LoadedModel`.

    Returns:
        An int, the number of requests.

    Raises:
        ServingError: where the file is damaged or too long, or a request
            fails; the version is then not served.
    """
    path = model.path / WARMUP
    if not path.is_file():
        return 0
    from tensorflow_serving.apis import prediction_log_pb2

    number = 0
    try:
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            number += 1
            if number > MOST_RECORDS:
                raise ServingError(
                    "INVALID_ARGUMENT",
                    f"Number of warmup records exceeds the maximum ({MOST_RECORDS}) at {path}",
                )
            _replay(model, prediction_log_pb2.PredictionLog.FromString(record))
    except tf.errors.DataLossError as error:
        raise ServingError(
            "DATA_LOSS",
            f"{path}: {error.message}. Please verify your warmup data is in TFRecord format.",
        ) from error
    return number


def _regresses(model, log):
    name = log.regress_log.request.model_spec.signature_name or DEFAULT_SIGNATURE
    return name in model.signatures


def _replay(model, log):
    kind = log.WhichOneof("log_type")
    if kind == "predict_log":
        request = log.predict_log.request
        inputs = {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
        wanted = list(request.output_filter) or None
    elif kind == "classify_log" or (kind == "regress_log" and _regresses(model, log)):
        from tf_bertembed.serving.grpc_services.examples import serialized_examples

        request = getattr(log, kind).request
        inputs, wanted = {"inputs": serialized_examples(request.input)}, None
    elif kind is not None:
        # Other ways to ask for what these warm up too; no reason not to serve.
        fields = {"model": model.name, "version": model.version, "kind": kind}
        logger.warning("a warm-up request of this kind is passed over", extra={"fields": fields})
        return
    else:
        raise ServingError("UNIMPLEMENTED", f"Unsupported log_type for warmup: {kind}")
    signature = request.model_spec.signature_name or DEFAULT_SIGNATURE
    model.check(signature, inputs)
    model.compute(signature, inputs, wanted)
