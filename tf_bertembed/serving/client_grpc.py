"""TensorFlow Serving's gRPC services, as a client asks them."""

import re

import grpc
import numpy as np
import tensorflow as tf
from tensorflow.core.example.example_pb2 import Example
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from tf_bertembed.common import BertEmbedError
from tf_bertembed.serving.client_arrays import to_text
from tf_bertembed.serving.client_calls import UnexpectedAnswerError, check_names
from tf_bertembed.serving.errors import HTTP_STATUS, ServingError

_OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # Retries come from the client; the channel must not hold a restarted server back.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
)

# gRPC itself takes any number for a port, and the rest of it by 65536.
_ADDRESS = re.compile(r"(?:\[[^][\s]+\]|[^][:/\s]+):(?P<port>[0-9]{1,5})")


class GrpcTransport:
    """Asks over gRPC, with the official stubs, on one channel.

    Args:
        address: string. `HOST:PORT`.
        model: string. The model's name.
        version: int or `None`.
        label: string or `None`.
    """

    def __init__(self, address, model, version, label):
        found = _ADDRESS.fullmatch(address) if isinstance(address, str) else None
        if found is None or not 0 < int(found["port"]) < 2**16:
            raise BertEmbedError(
                f"The address of a gRPC API is like 127.0.0.1:8500. Received: {address!r}."
            )
        self._choice = (model, version, label)
        self._channel = grpc.insecure_channel(address, options=_OPTIONS)
        self._prediction = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)

    def close(self):
        """Close the channel."""
        self._channel.close()

    def metadata(self, deadline):
        """As `RestTransport.metadata`."""
        request = get_model_metadata_pb2.GetModelMetadataRequest()
        self._fill(request.model_spec)
        request.metadata_field.append("signature_def")
        response = self._call(self._prediction.GetModelMetadata, request, deadline)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        if not response.metadata["signature_def"].Unpack(signatures):
            raise UnexpectedAnswerError("the signatures of `metadata`", response)
        return {
            "name": response.model_spec.name,
            "version": response.model_spec.version.value,
            "signatures": {
                name: {
                    "method_name": signature.method_name,
                    "inputs": _specs(signature.inputs),
                    "outputs": _specs(signature.outputs),
                }
                for name, signature in signatures.signature_def.items()
                if not name.startswith("__")
            },
        }

    def status(self, deadline):
        """As `RestTransport.status`."""
        request = get_model_status_pb2.GetModelStatusRequest()
        self._fill(request.model_spec)
        response = self._call(self._models.GetModelStatus, request, deadline)
        return [
            {
                "version": version.version,
                "state": version.State.Name(version.state),
                "error_code": grpc_code(version.status.error_code),
                "error_message": version.status.error_message,
            }
            for version in response.model_version_status
        ]

    def predict(self, signature, columns, outputs, deadline):
        """As `RestTransport.predict`."""
        request = predict_pb2.PredictRequest()
        self._fill(request.model_spec, signature)
        for name, column in columns.items():
            request.inputs[name].CopyFrom(_to_proto(column))
        response = self._call(self._prediction.Predict, request, deadline)
        check_names(outputs, response.outputs)
        return {name: _from_proto(name, proto) for name, proto in response.outputs.items()}

    def classify(self, signature, columns, deadline):
        """As `RestTransport.classify`."""
        request = classification_pb2.ClassificationRequest()
        self._fill(request.model_spec, signature)
        for row in zip(*columns.values(), strict=True):
            example = Example()
            for name, value in zip(columns, row, strict=True):
                example.features.feature[name].bytes_list.value.append(_to_bytes(value))
            request.input.example_list.examples.append(example)
        response = self._call(self._prediction.Classify, request, deadline)
        rows = [row.classes for row in response.result.classifications]
        return {
            "classes": np.array([[item.label for item in row] for row in rows], dtype=object),
            "scores": np.array([[item.score for item in row] for row in rows], dtype=np.float32),
        }

    def _fill(self, spec, signature=""):
        spec.name, version, label = self._choice
        if version is not None:
            spec.version.value = version
        elif label is not None:
            spec.version_label = label
        spec.signature_name = signature

    def _call(self, method, request, deadline):
        try:
            return method(request, timeout=deadline.left())
        except grpc.RpcError as error:
            code = error.code().name
            if code == "DEADLINE_EXCEEDED" and not error.details():
                raise deadline.over() from None
            code = code if code in HTTP_STATUS else "UNKNOWN"
            raise ServingError(code, error.details() or code) from None
        # A channel that was closed says so with an error of its own kind.
        except ValueError as error:
            raise BertEmbedError(f"The client is closed: {error}") from None


def grpc_code(number):
    """The name of a status code.

    Args:
        number: int. As `tensorflow.error.Code` counts.

    Returns:
        string.
    """
    return next((code.name for code in grpc.StatusCode if code.value[0] == number), str(number))


def _specs(tensors):
    return {
        name: {
            "dtype": tf.as_dtype(info.dtype).name,
            "shape": None
            if info.tensor_shape.unknown_rank
            else [None if dim.size < 0 else dim.size for dim in info.tensor_shape.dim],
        }
        for name, info in tensors.items()
    }


def _to_bytes(value):
    return value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")


def _to_proto(column):
    if column.dtype == object:
        return tf.make_tensor_proto([_to_bytes(value) for value in column], tf.string, column.shape)
    return tf.make_tensor_proto(column)


def _from_proto(name, proto):
    array = tf.make_ndarray(proto)
    if array.dtype != object or name.endswith("_bytes"):
        return array
    texts = np.empty(array.size, dtype=object)
    texts[:] = [to_text(value) for value in array.ravel()]
    return texts.reshape(array.shape)
