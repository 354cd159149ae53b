"""Run the warm-up requests of an exported model, as TensorFlow Serving does when it loads it."""

import time
from pathlib import Path

from google.protobuf.message import DecodeError

from tf_bertembed.common import BertEmbedError, FileFormatError
from tf_bertembed.export.c_library import STRING
from tf_bertembed.export.protos import message_class
from tf_bertembed.export.tf_records import read_records

WARMUP = Path("assets.extra") / "tf_serving_warmup_requests"
# A server refuses a model that has more (saved_model_warmup_util.h), or one that does not answer.
MOST_RECORDS = 1000
DEFAULT_SIGNATURE = "serving_default"
OTHER_KINDS = ("regress_log", "multi_inference_log", "session_run_log", "predict_streamed_log")


class NotRun(Exception):
    """A request that servers run and this process cannot."""


def replay(model):
    """Run every warm-up request of a model.

    Args:
        model: a `CApiModel`.

    Returns:
        A dict: `requests`, how many were answered; `seconds`, how long all of
        them took, and `slowest_seconds` and `slowest`, the one that took
        longest and what it was; `problems`, what would keep a server from
        loading the model, and `notes`, what was not run. `None` where the
        model has no such requests.
    """
    path = model.path / WARMUP
    if not path.exists():
        return None
    found = {
        "requests": 0,
        "seconds": 0.0,
        "slowest_seconds": 0.0,
        "slowest": "",
        "problems": [],
        "notes": [],
    }
    try:
        for number, data in enumerate(read_records(path), start=1):
            if number > MOST_RECORDS:
                found["problems"].append(
                    f"{WARMUP} holds more than {MOST_RECORDS} requests, the most a server takes."
                )
                break
            _replay_one(model, number, data, found)
    except FileFormatError as error:
        found["problems"].append(f"{WARMUP}: {error.problem}")
    if not (found["requests"] or found["problems"] or found["notes"]):
        found["notes"].append(f"{WARMUP} is empty.")
    return found


def _replay_one(model, number, data, found):
    try:
        log = message_class("PredictionLog").FromString(data)
    except DecodeError:
        found["problems"].append(f"{WARMUP}: record {number} is no PredictionLog.")
        return
    try:
        signature, inputs = _request(model, log)
    except NotRun as reason:
        found["notes"].append(f"Warm-up request {number} was not run: {reason}.")
        return
    except BertEmbedError as error:
        found["problems"].append(f"Warm-up request {number} fails: {error}")
        return
    count = len(next(iter(inputs.values()), ()))
    what = f"request {number}, {count} to {signature!r}"
    start = time.perf_counter()
    try:
        model.run(inputs, signature)
    except BertEmbedError as error:
        found["problems"].append(f"Warm-up {what}, fails: {error}")
        return
    seconds = time.perf_counter() - start
    found["requests"] += 1
    found["seconds"] += seconds
    if seconds > found["slowest_seconds"]:
        found.update(slowest_seconds=seconds, slowest=what)


def _request(model, log):
    """The signature that a `PredictionLog` asks, and its inputs."""
    if log.HasField("predict_log"):
        request = log.predict_log.request
        inputs = {name: _strings(name, tensor) for name, tensor in request.inputs.items()}
        return request.model_spec.signature_name or DEFAULT_SIGNATURE, inputs
    if log.HasField("classify_log"):
        request = log.classify_log.request
        signature = request.model_spec.signature_name or DEFAULT_SIGNATURE
        examples = list(request.input.example_list.examples)
        return signature, {model.only_input(signature): examples}
    for kind in OTHER_KINDS:
        if getattr(log, kind):
            raise NotRun(f"it is a {kind}")
    raise BertEmbedError("it asks nothing.")


def _strings(name, tensor):
    sizes = [dimension.size for dimension in tensor.tensor_shape.dim]
    if tensor.dtype != STRING or len(sizes) != 1:
        raise NotRun(f"its input {name!r} is no list of strings")
    texts = list(tensor.string_val)
    if texts and len(texts) < sizes[0]:
        # The protocol of TensorProto: the last value stands for all that are left out.
        texts += texts[-1:] * (sizes[0] - len(texts))
    if len(texts) != sizes[0]:
        raise BertEmbedError(f"its input {name!r} holds {len(texts)} strings for {sizes[0]}.")
    return texts
