"""The part of a task that is served: its functions, and the state that they read."""

import contextlib
import logging

import numpy as np
import tensorflow as tf
from tensorflow.python.saved_model import fingerprinting_utils

from tf_bertembed.common import BertEmbedError
from tf_bertembed.export.c_library import decode_text
from tf_bertembed.export.quiet import quiet_tensorflow
from tf_bertembed.export.signature_checks import PREDICT_METHOD
from tf_bertembed.export.signatures import signatures_of, string_specs


class ServedTask:
    """A task as a server sees it: strings in, named tensors out.

    Args:
        task: a task, as for `export_saved_model`.
        weights: `ShortWeights` that stand for the task's own; `None` for none.
    """

    def __init__(self, task, weights=None):
        self.task = task
        self.signatures = signatures_of(task)
        self._weights = weights
        self._traced = {name: self._trace(s) for name, s in self.signatures.items()}

    def requests(self, columns):
        """Give each signature its inputs.

        Args:
            columns: dict. Per input of the task a list of strings.

        Returns:
            Per signature a dict of lists of strings, or of bytes.
        """
        return {name: signature.requests(columns) for name, signature in self.signatures.items()}

    def answers_in_memory(self, inputs):
        """Run every signature eagerly.

        Args:
            inputs: dict. Per signature its inputs, as `requests` gives them.

        Returns:
            Per signature a dict of NumPy arrays.

        Raises:
            BertEmbedError: where an output does not begin with the batch or
                is not finite.
        """
        answers = {}
        for name, signature in self.signatures.items():
            texts = tuple(tf.constant(inputs[name][column]) for column in signature.inputs)
            fixed = self._traced[name].structured_outputs
            answers[name] = {
                output: _to_numpy(f"{name}.{output}", value, fixed[output].shape, len(texts[0]))
                for output, value in signature.answer(texts).items()
            }
        return answers

    def save(self, place):
        """Write the SavedModel.

        Args:
            place: `pathlib.Path`. The folder to make.
        """
        options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
        # It would report a folder that is renamed a moment later.
        with quiet_tensorflow(logging.WARNING):
            tf.saved_model.save(self._state(), str(place), signatures=self._traced, options=options)
            _set_methods(place, self.signatures)

    def _trace(self, signature):
        def serve(*texts):
            with self._weights.in_place() if self._weights else contextlib.nullcontext():
                return signature.answer(texts)

        specs = string_specs(signature.inputs)
        return tf.function(serve, input_signature=specs, autograph=False).get_concrete_function()

    def _state(self):
        # Only what the graphs read: a task would bring its optimizer along.
        module = tf.Module()
        graphs = [function.graph for function in self._traced.values()]
        module.weights = list({id(v): v for graph in graphs for v in graph.variables}.values())
        read = {
            id(tensor) for function in self._traced.values() for tensor in function.captured_inputs
        }
        resources = list(tf.train.TrackableView(self.task.preprocessor).descendants())
        if self._weights:
            module.stored = self._weights.stored()
            resources += self._weights.resources()
        module.tables = [
            resource
            for resource in resources
            if isinstance(resource, tf.saved_model.experimental.TrackableResource)
            and id(resource.resource_handle) in read
        ]
        return module


def _set_methods(place, signatures):
    # `tf.saved_model.save` says of each signature that it answers requests of predict.
    others = {name: s.method for name, s in signatures.items() if s.method != PREDICT_METHOD}
    if not others:
        return
    updater = tf.compat.v1.saved_model.signature_def_utils.MethodNameUpdater(str(place))
    for name, method in others.items():
        updater.replace_method_name(signature_key=name, method_name=method, tags="serve")
    updater.save()
    # It holds a hash of the file as it was.
    fingerprinting_utils.write_fingerprint(str(place))


def _to_numpy(name, value, static_shape, batch):
    array = np.asarray(value)
    if static_shape.rank == 0 or static_shape[0] is not None or array.shape[0] != batch:
        raise BertEmbedError(
            f"Every output's first dimension must be the batch. Received: {name} with shape "
            f"{static_shape} in the graph, {list(array.shape)} for {batch} texts."
        )
    if array.dtype == object:
        texts = [decode_text(text, name) for text in array.ravel()]
        return np.array(texts, dtype=np.str_).reshape(array.shape)
    if array.dtype.kind not in "fiub":
        raise BertEmbedError(
            "Outputs must be strings, or numbers that NumPy has; cast them to float32. "
            f"Received: {name} with type {array.dtype.name}."
        )
    if not np.isfinite(array).all():
        raise BertEmbedError(
            "Outputs must be finite: JSON clients cannot read others. "
            f"Received: {name} with NaN or infinity. Are the model's weights sound?"
        )
    return array
