"""A client of TensorFlow Serving, and of this package's server: texts in, arrays out."""

import importlib

from tf_bertembed.common import BertEmbedError, MissingPackageError
from tf_bertembed.export.signature_checks import CLASSIFY_METHOD
from tf_bertembed.serving.client_arguments import check_bounds, check_choice, check_signature
from tf_bertembed.serving.client_arrays import check_texts, to_columns
from tf_bertembed.serving.client_calls import UnexpectedAnswerError, call_again
from tf_bertembed.serving.client_parts import answer_in_parts

TRANSPORTS = {"rest": "RestTransport", "grpc": "GrpcTransport"}


class Client:
    """Asks a model of TensorFlow Serving, or of `tf-bertembed serve`.

    What a call needs to know of the model's signatures is asked for once.
    Many rows are sent in several requests. A request whose server cannot be
    reached, goes away or says that it is not available is made again, after
    a pause; nothing else is, since it would fail again. Threads may share a
    client. Over REST neither TensorFlow nor gRPC is imported.

    Args:
        address: string. Of REST like `"http://127.0.0.1:8501"`, of gRPC like
            `"127.0.0.1:8500"`.
        model: string. The model's name.
        version: int. The version to ask; `None` for the highest.
        label: string. A label of the version instead.
        transport: string. `"rest"` or `"grpc"`.
        timeout: float. The most seconds that a request may take, all its
            repetitions together.
        retries: int. How often a request is made again.
        pause: float. The longest pause before the first repetition, in
            seconds; the next are up to twice as long each.
        batch_size: int. The most rows of a request.

    Raises:
        BertEmbedError: where an argument is not as above.
        MissingPackageError: where gRPC is asked for and not installed.

    Example:

    ```python
    import tensorflow as tf
    from tf_bertembed import serving
    from tf_bertembed.serving.model_config import ModelConfig
    from tf_bertembed.serving.model_store import ModelStore

    module = tf.Module()
    module.serve = tf.function(
        lambda text: {"length": tf.strings.length(text)},
        input_signature=[tf.TensorSpec([None], tf.string, name="text")],
    )
    tf.saved_model.save(module, "saved_models/length/1", {"serving_default": module.serve})

    store = ModelStore([ModelConfig("length", "saved_models/length")])
    with serving.Server(store, rest_port=0, grpc_port=0) as server:
        with serving.Client(server.addresses()["rest"], "length") as client:
            answer = client.predict(["a", "word"])
    assert answer["length"].tolist() == [1, 4]
    ```

    References:
        - https://www.tensorflow.org/tfx/serving/api_rest
        - https://github.com/tensorflow/serving/tree/master/tensorflow_serving/apis
    """

    def __init__(
        self,
        address,
        model,
        *,
        version=None,
        label=None,
        transport="rest",
        timeout=60.0,
        retries=3,
        pause=0.1,
        batch_size=256,
    ):
        if transport not in TRANSPORTS:
            raise BertEmbedError(f'`transport` must be "rest" or "grpc". Received: {transport!r}.')
        check_choice(model, version, label)
        check_bounds(timeout, retries, pause, batch_size)
        self._timeout, self._retries, self._pause = timeout, retries, pause
        self._batch_size = batch_size
        self._known, self._fillers = None, {}
        self._transport = _transport_class(transport)(address, model, version, label)

    def predict(self, texts, signature="serving_default"):
        """Ask a signature for its answers to texts.

        Args:
            texts: list of strings or bytes; for several inputs, dict from
                their names to such lists, all as long. A signature that
                takes numbers is given arrays.
            signature: string. The name of the signature.

        Returns:
            A dict from the names of the outputs to NumPy arrays, whose first
            dimension is that of the texts. Strings are objects: `str`, or
            `bytes` where the name of the output ends in `_bytes`. An output
            that is as wide as the longest text is filled up as the model
            does it, also where several requests were made; a small one more
            shows how.

        Raises:
            ServingError: where the server does not answer, or with an error.
            BertEmbedError: where the texts do not suit the signature.

        Example:

        ```python
        from tf_bertembed import serving

        client = serving.Client("http://127.0.0.1:9", "bbc", retries=0)
        try:
            client.predict(["The match ended in a draw."])
        except serving.ServingError as error:
            assert error.code == "UNAVAILABLE"
        ```
        """
        try:
            return self._predict(texts, signature)
        except UnexpectedAnswerError:
            # Another version, with other outputs, may have come since.
            self.metadata()
            return self._predict(texts, signature)

    def embed(self, texts):
        """Ask for the embeddings of texts.

        Args:
            texts: as for `predict`.

        Returns:
            A float array `[N, D]`: the output `embedding` of the signature
            `embed`, or of `serving_default` where there is none.

        Raises:
            ServingError: as for `predict`.
            BertEmbedError: as for `predict`, and where the model gives no
                embedding.

        Example:

        ```python
        from tf_bertembed import serving

        client = serving.Client("http://127.0.0.1:9", "encoder", retries=0)
        try:
            vectors = client.embed(["Good morning", "早上好"])
        except serving.ServingError as error:
            assert error.http_status == 503
        ```
        """
        signatures = self._metadata()["signatures"]
        name = "embed" if "embed" in signatures else "serving_default"
        outputs = signatures.get(name, {"outputs": {}})["outputs"]
        if "embedding" not in outputs:
            raise BertEmbedError(
                "The model gives no embedding: the output `embedding` of the signature `embed` or "
                f"`serving_default` was expected. Received: {', '.join(sorted(signatures))}."
            )
        return self.predict(texts, name)["embedding"]

    def classify(self, texts, signature="classify"):
        """Ask for the classes of texts, by TensorFlow Serving's Classify API.

        Args:
            texts: list of strings or bytes, the feature `text` of the
                examples; or dict from the names of features to such lists.
            signature: string. The name of the signature.

        Returns:
            A dict of `classes`, an object array `[N, C]` of strings, and
            `scores`, a float32 array `[N, C]`.

        Raises:
            ServingError: as for `predict`.
            BertEmbedError: as for `predict`, and where the model has no such
                signature.

        Example:

        ```python
        from tf_bertembed import serving

        client = serving.Client("http://127.0.0.1:9", "bbc", retries=0)
        try:
            best = client.classify(["The match ended in a draw."])["scores"].argmax(axis=1)
        except serving.ServingError as error:
            assert error.code == "UNAVAILABLE"
        ```
        """
        known = self._signature(signature)
        if known["method_name"] != CLASSIFY_METHOD:
            raise BertEmbedError(
                f"The signature `{signature}` does not classify. "
                f"Received: {known['method_name']!r}, {CLASSIFY_METHOD!r} is needed."
            )
        names = sorted(texts) if isinstance(texts, dict) else ["text"]
        # What no rows get; with rows the answer has both whatever the signature gives.
        empty = {
            "classes": {"dtype": "string", "shape": [None, None]},
            "scores": {"dtype": "float32", "shape": [None, None]},
        }
        columns = to_columns(texts, names)
        check_texts(columns)
        return self._in_parts(
            columns,
            lambda part, deadline: self._transport.classify(signature, part, deadline),
            empty,
            signature,
        )

    def metadata(self):
        """Ask what the model takes and gives.

        Returns:
            A dict: `name`, `version` (int) and `signatures`, a dict from
            their names to dicts of `method_name`, `inputs` and `outputs`:
            these from names to `dtype` (a string) and `shape` (a list, with
            `None` for an open size; `None` for an open rank).

        Raises:
            ServingError: where the server does not answer, or with an error.

        Example:

        ```python
        from tf_bertembed import serving

        try:
            serving.Client("http://127.0.0.1:9", "bbc", retries=0).metadata()
        except serving.ServingError as error:
            assert "http://127.0.0.1:9 does not answer" in str(error)
        ```
        """
        self._known = self._call(self._transport.metadata)
        self._fillers = {}  # another version may fill up otherwise
        return self._known

    def status(self):
        """Ask how the versions of the model are.

        Returns:
            A list of dicts: `version` (int), `state` (`"AVAILABLE"` where it
            answers), `error_code` (`"OK"`) and `error_message`.

        Raises:
            ServingError: where the server does not answer, or with an error.

        Example:

        ```python
        from tf_bertembed import serving

        try:
            serving.Client("http://127.0.0.1:9", "bbc", retries=0).status()
        except serving.ServingError as error:
            assert error.code == "UNAVAILABLE"
        ```
        """
        return self._call(self._transport.status)

    def close(self):
        """Let the connections go.

        Example:

        ```python
        from tf_bertembed import serving

        client = serving.Client("http://127.0.0.1:9", "bbc")
        client.close()
        ```
        """
        self._transport.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _call(self, function):
        return call_again(function, self._timeout, self._retries, self._pause)

    def _metadata(self):
        return self._known or self.metadata()

    def _signature(self, name):
        check_signature(name)
        signatures = self._metadata()["signatures"]
        if name not in signatures:
            # A version with more signatures may have come since.
            signatures = self.metadata()["signatures"]
        if name not in signatures:
            raise BertEmbedError(
                f"The model has no signature `{name}`. It has: {', '.join(sorted(signatures))}."
            )
        return signatures[name]

    def _predict(self, texts, signature):
        known = self._signature(signature)
        outputs = known["outputs"]
        return self._in_parts(
            to_columns(texts, sorted(known["inputs"])),
            lambda part, deadline: self._transport.predict(signature, part, outputs, deadline),
            outputs,
            signature,
        )

    def _in_parts(self, columns, ask, outputs, signature):
        return answer_in_parts(
            columns,
            self._batch_size,
            lambda part: self._call(lambda deadline: ask(part, deadline)),
            outputs,
            self._fillers.setdefault(signature, {}),
        )


def _transport_class(name):
    try:
        module = importlib.import_module(f"tf_bertembed.serving.client_{name}")
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.startswith("tf_bertembed"):
            raise
        raise MissingPackageError(["'tf-bertembed[serve]'"], "The gRPC transport") from error
    return getattr(module, TRANSPORTS[name])
