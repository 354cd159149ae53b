"""TensorFlow Serving's REST API, as a client asks it."""

import base64
import http.client
import json
import socket
import threading
import urllib.parse

import numpy as np

from tf_bertembed.common import BertEmbedError
from tf_bertembed.serving.client_arrays import to_text
from tf_bertembed.serving.client_calls import check_names, understood
from tf_bertembed.serving.errors import HTTP_STATUS, ServingError

_CODES = {status: code for code, status in reversed(HTTP_STATUS.items())}
_CODES |= {408: "DEADLINE_EXCEEDED", 413: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 502: "UNAVAILABLE"}
_DTYPES = {
    "DT_FLOAT": "float32",
    "DT_DOUBLE": "float64",
    "DT_HALF": "float16",
    "DT_BOOL": "bool",
    "DT_STRING": "string",
}
_READ = 256 * 1024


class RestTransport:
    """Asks over HTTP; connections are kept and used again.

    Args:
        address: string. `http://HOST:PORT`, or `https://`; without either
            `http://` is meant.
        model: string. The model's name.
        version: int or `None`.
        label: string or `None`.
    """

    def __init__(self, address, model, version, label):
        if not isinstance(address, str):
            raise _wrong_address(address)
        try:
            url = urllib.parse.urlsplit(address if "://" in address else f"http://{address}")
            port = url.port
        except ValueError:
            port = 0
        if url.scheme not in ("http", "https") or not url.hostname or port == 0:
            raise _wrong_address(address)
        self._class = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}[
            url.scheme
        ]
        self._host, self._port = url.hostname, port
        self._shown = f"{url.scheme}://{url.netloc}"
        place = f"{url.path.rstrip('/')}/v1/models/{urllib.parse.quote(model, safe='')}"
        if version is not None:
            place += f"/versions/{version}"
        elif label is not None:
            place += f"/labels/{urllib.parse.quote(label, safe='')}"
        self._place = place
        self._lock = threading.Lock()
        self._idle = []
        self._closed = False

    def close(self):
        """Close the connections."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def metadata(self, deadline):
        """The model's version and signatures, as `Client.metadata` gives them."""
        answer = self._ask("GET", "/metadata", None, deadline)
        with understood("`model_spec` and the signatures of `metadata`", answer):
            signatures = answer["metadata"]["signature_def"]["signature_def"]
            return {
                "name": answer["model_spec"]["name"],
                "version": int(answer["model_spec"]["version"]),
                "signatures": {
                    name: {
                        "method_name": signature.get("method_name", ""),
                        "inputs": _specs(signature["inputs"]),
                        "outputs": _specs(signature["outputs"]),
                    }
                    for name, signature in signatures.items()
                    if not name.startswith("__")
                },
            }

    def status(self, deadline):
        """The states of the versions, as `Client.status` gives them."""
        answer = self._ask("GET", "", None, deadline)
        with understood("`model_version_status`", answer):
            return [
                {
                    "version": int(version["version"]),
                    "state": version["state"],
                    "error_code": version["status"]["error_code"],
                    "error_message": version["status"]["error_message"],
                }
                for version in answer.get("model_version_status", [])
            ]

    def predict(self, signature, columns, outputs, deadline):
        """Answer rows.

        Args:
            signature: string. Its name.
            columns: dict from names to arrays.
            outputs: dict from names to specs, as `Client.metadata` gives it.
            deadline: `Deadline`.

        Returns:
            A dict from names to arrays.
        """
        body = {
            "signature_name": signature,
            "inputs": {name: _to_json(column) for name, column in columns.items()},
        }
        answer = self._ask("POST", ":predict", body, deadline)
        with understood("`outputs`", answer):
            answer = answer["outputs"]
        # One output alone goes without its name.
        if len(outputs) == 1 and not isinstance(answer, dict):
            answer = {next(iter(outputs)): answer}
        check_names(outputs, answer if isinstance(answer, dict) else [])
        made = {}
        for name, spec in outputs.items():
            with understood(f"`{name}` as {spec['dtype']}", answer[name]):
                made[name] = _from_json(name, answer[name], spec)
        return made

    def classify(self, signature, columns, deadline):
        """Classify rows.

        Args:
            signature: string. Its name.
            columns: dict from names of features to arrays.
            deadline: `Deadline`.

        Returns:
            A dict of `classes` and `scores`, arrays `[B, C]`.
        """
        named = {name: _to_json(column) for name, column in columns.items()}
        examples = [dict(zip(named, row, strict=True)) for row in zip(*named.values(), strict=True)]
        body = {"signature_name": signature, "examples": examples}
        answer = self._ask("POST", ":classify", body, deadline)
        with understood("`results`, pairs of a class and a score", answer):
            pairs = answer["results"]
            classes = np.array([[label for label, _ in row] for row in pairs], dtype=object)
            scores = np.array([[score for _, score in row] for row in pairs], dtype=np.float32)
            return {"classes": classes, "scores": scores}

    def _ask(self, method, suffix, body, deadline):
        content = None if body is None else json.dumps(body).encode()
        try:
            status, answer = self._exchange(method, self._place + suffix, content, deadline)
        except TimeoutError:
            raise deadline.over() from None
        except (OSError, http.client.HTTPException) as error:
            if _is_no_http(error):
                raise ServingError(
                    "UNIMPLEMENTED",
                    f"{self._shown} does not speak HTTP; is it the gRPC port?",
                ) from error
            problem = str(error) or type(error).__name__
            raise ServingError(
                "UNAVAILABLE", f"{self._shown} does not answer: {problem}"
            ) from error
        try:
            decoded = json.loads(to_text(answer))
            message = None if status == 200 else decoded["error"]
        except (ValueError, TypeError, KeyError):
            if status == 200:
                raise ServingError(
                    "INTERNAL", f"{self._shown} answered no JSON: {answer[:200]!r}"
                ) from None
            message = f"{self._shown} answered {status}: {to_text(answer[:200])}"
        if message is not None:
            default = "INVALID_ARGUMENT" if 400 <= status < 500 else "UNKNOWN"
            error = ServingError(_CODES.get(status, default), message)
            error.http_status = status
            raise error
        return decoded

    def _exchange(self, method, path, content, deadline):
        while True:
            connection, used = self._take(deadline)
            try:
                headers = {"Content-Type": "application/json", "Connection": "keep-alive"}
                connection.request(method, path, content, headers)
                response = connection.getresponse()
                answer = _read(connection, response, deadline)
            except BaseException as error:
                connection.close()
                # The server may close a connection that was idle just as it is used again.
                if used and isinstance(error, (http.client.RemoteDisconnected, ConnectionError)):
                    continue
                raise
            self._give_back(connection, response)
            return response.status, answer

    def _take(self, deadline):
        with self._lock:
            if self._closed:
                raise BertEmbedError("The client is closed.")
            connection = self._idle.pop() if self._idle else None
        if connection is not None:
            connection.sock.settimeout(deadline.left())
            return connection, True
        connection = self._class(self._host, self._port, timeout=deadline.left())
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, False

    def _give_back(self, connection, response):
        with self._lock:
            if not self._closed and not response.will_close and connection.sock is not None:
                self._idle.append(connection)
                return
        connection.close()


def _is_no_http(error):
    # A connection that is closed before an answer counts as such a line, too.
    return isinstance(
        error, http.client.BadStatusLine | http.client.UnknownProtocol
    ) and not isinstance(error, http.client.RemoteDisconnected)


def _read(connection, response, deadline):
    parts = []
    while True:
        # http.client lets go of the socket of a connection that will be closed.
        if connection.sock is not None:
            connection.sock.settimeout(deadline.left())
        part = response.read(_READ)
        if not part:
            break
        parts.append(part)
        deadline.left()
    # http.client tells of an answer that was cut off only where all is read at once.
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
    return b"".join(parts)


def _wrong_address(address):
    return BertEmbedError(
        f"The address of a REST API is like http://127.0.0.1:8501. Received: {address!r}."
    )


def _specs(tensors):
    return {
        name: {
            "dtype": _DTYPES.get(info["dtype"], info["dtype"].removeprefix("DT_").lower()),
            "shape": _shape(info.get("tensor_shape", {})),
        }
        for name, info in tensors.items()
    }


def _shape(shape):
    if shape.get("unknown_rank"):
        return None
    return [None if int(dim["size"]) < 0 else int(dim["size"]) for dim in shape.get("dim", [])]


def _to_json(column):
    if column.dtype != object:
        return column.tolist()
    return [_string_to_json(value) for value in column]


def _string_to_json(value):
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            value = value.encode("utf-8", "surrogateescape")
        else:
            return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(value).decode()}


def _from_json(name, value, spec):
    if spec["dtype"] != "string":
        return np.array(value, dtype=spec["dtype"])
    # A list of lists would become an array of its own shape, `{"b64": …}` included.
    found = np.array(value, dtype=object)
    if name.endswith("_bytes"):
        flat = [base64.b64decode(item["b64"]) for item in found.ravel()]
        found = np.array([*flat, None], dtype=object)[:-1].reshape(found.shape)
    return found
