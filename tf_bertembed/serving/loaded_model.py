"""One version of a model, loaded and ready to answer.

A session of TensorFlow 1 holds it, since that is what TensorFlow Serving runs:
the same errors, only the outputs that were asked for are computed, a time limit
for a run, inputs of every type, and `close` frees weights and tables at once.
What `tf.saved_model.load` makes lives on in the process' eager context until a
collector finds it; the C API of `export.CApiModel` takes strings alone.
"""

import logging
import threading

import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401
from tensorflow.core.protobuf import config_pb2

from tf_bertembed.common import BertEmbedError
from tf_bertembed.export.c_api import require_saved_model
from tf_bertembed.export.quiet import quiet_tensorflow
from tf_bertembed.serving.errors import HTTP_STATUS, ServingError
from tf_bertembed.serving.facts import note
from tf_bertembed.serving.padded_runs import check_width
from tf_bertembed.serving.signature import Signature, TensorSpec

DEFAULT_SIGNATURE = "serving_default"
# What TensorFlow calls these types where C++ writes the message.
SHORT_NAMES = {"float16": "half", "float32": "float", "float64": "double"}


class LoadedModel:
    """A SavedModel in a session; threads may share it.

    Args:
        name: string. The name of the model.
        version: int. Its version.
        path: `pathlib.Path`. The folder of the version.
        batcher: `Batcher`. What runs requests together; `None` to run each
            alone, in the thread that asks.

    Attributes:
        name: string. As given.
        version: int. As given.
        path: `pathlib.Path`. As given.
        meta_graph: `MetaGraphDef`. What the SavedModel says of itself.
        signatures: dict from names to `Signature`.
        fillers: dict from names of signatures to dicts, what is known of
            what they put behind the answers to shorter texts.
    """

    def __init__(self, name, version, path, batcher=None):
        self.name, self.version = name, version
        self.path = require_saved_model(path)
        self._batcher = batcher
        graph = tf.Graph()
        config = tf.compat.v1.ConfigProto(
            allow_soft_placement=True,
            # What the command line chose; the first session of a process fixes it for all.
            intra_op_parallelism_threads=tf.config.threading.get_intra_op_parallelism_threads(),
            inter_op_parallelism_threads=tf.config.threading.get_inter_op_parallelism_threads(),
        )
        config.gpu_options.allow_growth = True
        self._session = tf.compat.v1.Session(graph=graph, config=config)
        try:
            # It would tell of a deprecation that stands for as long as TensorFlow 2 does.
            with quiet_tensorflow(logging.ERROR), graph.as_default():
                self.meta_graph = tf.compat.v1.saved_model.load(
                    self._session, [tf.saved_model.SERVING], str(self.path)
                )
        except BaseException:
            self._session.close()
            raise
        graph.finalize()
        self.signatures = {
            name: Signature(
                definition.method_name,
                {key: TensorSpec.from_proto(info) for key, info in definition.inputs.items()},
                {key: TensorSpec.from_proto(info) for key, info in definition.outputs.items()},
            )
            for name, definition in self.meta_graph.signature_def.items()
            if not name.startswith("__")
        }
        self._closing = threading.Lock()
        self._runners, self._making = {}, threading.Lock()
        self.fillers = {name: {} for name in self.signatures}

    def close(self):
        """Free the weights; a second call does nothing."""
        with self._closing:
            if self._session is not None:
                self._session.close()
                self._session = None
                self._runners.clear()

    def signature(self, name):
        """Find a signature.

        Args:
            name: string.

        Returns:
            A `Signature`.

        Raises:
            ServingError: FAILED_PRECONDITION where there is none.
        """
        if name not in self.signatures:
            raise ServingError("FAILED_PRECONDITION", f'Serving signature key "{name}" not found.')
        return self.signatures[name]

    def run(self, signature, inputs, timeout=None, outputs=None):
        """Answer a request, together with others where that is safe.

        Args:
            signature: string. The name of the signature.
            inputs: dict from names to arrays; strings are object arrays of
                bytes.
            timeout: float. The most seconds to wait; `None` for no limit.
            outputs: collection of strings. The outputs that are wanted;
                `None` for all.

        Returns:
            A dict from the names of outputs to arrays.

        Raises:
            ServingError: where the request does not suit the signature, the
                time is over, the queue is full or TensorFlow fails.
        """
        note(signature=signature)
        if self._batcher is None:
            self.check(signature, inputs)
            return self.compute(signature, inputs, outputs, timeout)
        return self._batcher.run(self, signature, inputs, timeout, outputs)

    def check(self, signature, inputs):
        """Refuse inputs that the signature does not take.

        Args:
            signature: string. The name of the signature.
            inputs: dict from names to arrays.

        Raises:
            ServingError: INVALID_ARGUMENT, in TensorFlow's words.
        """
        specs = self.signature(signature).inputs
        if inputs.keys() != specs.keys():
            raise ServingError("INVALID_ARGUMENT", _names_differ(inputs, specs))
        for place, (name, spec) in enumerate(sorted(specs.items())):
            array = inputs[name]
            given = tf.string if array.dtype == object else tf.as_dtype(array.dtype)
            if given != spec.dtype:
                raise ServingError(
                    "INVALID_ARGUMENT",
                    f"Expects arg[{place}] to be {_type(spec.dtype)} but {_type(given)} is "
                    "provided",
                )
            if not spec.takes(array.shape):
                raise ServingError(
                    "INVALID_ARGUMENT",
                    f"Input {name!r} must have shape {_shown(spec.shape)}. "
                    f"Received: {_shown(array.shape)}",
                )
        chosen = self.signatures[signature]
        if chosen.takes_texts and not chosen.batchable:
            check_width(inputs)

    def compute(self, signature, inputs, outputs=None, timeout=None):
        """Run the graph on inputs that were checked.

        Args:
            signature: string. The name of the signature.
            inputs: dict from names to arrays.
            outputs: collection of strings. As for `run`.
            timeout: float. As for `run`.

        Returns:
            A dict from the names of outputs to arrays.

        Raises:
            ServingError: where TensorFlow fails.
        """
        chosen = self.signature(signature)
        wanted = tuple(chosen.outputs if outputs is None else outputs)
        names = [chosen.outputs[name].tensor_name for name in wanted]
        feeds = {spec.tensor_name: inputs[name] for name, spec in chosen.inputs.items()}
        session = self._session
        if session is None:
            # Only where nobody waits for the answer any more.
            raise ServingError("UNAVAILABLE", f"Version {self.version} was unloaded.")
        try:
            if timeout is None:
                found = self._runner(session, tuple(feeds), tuple(dict.fromkeys(names)))(feeds)
            else:
                milliseconds = max(1, int(timeout * 1000))
                options = tf.compat.v1.RunOptions(timeout_in_ms=milliseconds)
                found = session.run(dict(zip(names, names, strict=True)), feeds, options=options)
        except tf.errors.OpError as error:
            raise from_tensorflow(error) from error
        return {name: np.asarray(found[place]) for name, place in zip(wanted, names, strict=True)}

    def _runner(self, session, feeds, fetches):
        """A function from tensors by name to tensors by name.

        `Session.run` looks all names up anew each time, which takes longer
        than a small model does. Only what it does besides is missing: to
        answer with an input as it came.
        """
        key = (feeds, fetches)
        with self._making:
            if key not in self._runners:
                if set(feeds) & set(fetches):
                    self._runners[key] = lambda fed: session.run(
                        dict(zip(fetches, fetches, strict=True)), fed
                    )
                else:
                    options = config_pb2.CallableOptions(feed=feeds, fetch=fetches)
                    prepared = session._make_callable_from_options(options)
                    self._runners[key] = lambda fed: dict(
                        zip(fetches, prepared(*map(fed.get, feeds)), strict=True)
                    )
            return self._runners[key]


def from_tensorflow(error):
    """Give an error of TensorFlow as what a client is told.

    Args:
        error: `tf.errors.OpError`.

    Returns:
        A `ServingError`: the code, and the message without what
        Python's TensorFlow puts around it.
    """
    codes = {value: name for name, value in vars(tf.errors).items() if name in HTTP_STATUS}
    message = str(error.message).partition("\n\nOriginal stack trace")[0]
    message = message.removeprefix("Graph execution error:").strip()
    return ServingError(codes.get(error.error_code, "UNKNOWN"), message)


def load_problem(error):
    """Name the code and the message of a version that failed to load.

    Args:
        error: exception. What loading raised.

    Returns:
        A pair of strings.
    """
    if isinstance(error, tf.errors.OpError):
        error = from_tensorflow(error)
    if isinstance(error, ServingError):
        return error.code, error.message
    if isinstance(error, BertEmbedError):
        return ("NOT_FOUND" if isinstance(error, OSError) else "DATA_LOSS"), str(error)
    return "INTERNAL", f"{type(error).__name__}: {error}"


def _names_differ(inputs, specs):
    given, expected = sorted(inputs), sorted(specs)
    if len(given) == len(expected):
        lacking = next(name for name in expected if name not in inputs)
        return (
            f"Signature input alias: {lacking}(feed name: {specs[lacking].tensor_name}) not found "
            "in request and no default value provided. Inputs expected to be in the request "
            f"{{{','.join(given)}}}, or default input alias set: "
        )
    extra = ",".join(name for name in given if name not in specs)
    missing = ",".join(name for name in expected if name not in inputs)
    return (
        f"input size does not match signature: {len(given)}!={len(expected)} "
        f"len({{{','.join(given)}}}) != len({{{','.join(expected)}}}). "
        f"Sent extra: {{{extra}}}. Missing but required: {{{missing}}}."
    )


def _type(dtype):
    return SHORT_NAMES.get(dtype.name, dtype.name)


def _shown(shape):
    return f"[{','.join('?' if size is None else str(size) for size in shape)}]"
