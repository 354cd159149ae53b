"""Write a task as a SavedModel: strings in, named outputs out, versioned."""

import contextlib
import importlib.metadata
import logging
from pathlib import Path

import numpy as np
import tensorflow as tf

import tf_bertembed
from tf_bertembed.common import BertEmbedError, FileFormatError, atomic_path, numbered_folders
from tf_bertembed.export.c_library import decode_text
from tf_bertembed.export.protos import message_class
from tf_bertembed.export.records import to_columns, write_record
from tf_bertembed.export.servability import servability_problems

PACKAGES = ("tensorflow", "tensorflow-text", "keras", "keras-nlp")


def export_saved_model(task, folder, *, version=None, examples=None, overwrite=False):
    """Export a task as `folder/version/`, for TensorFlow Serving or any other server.

    Each signature takes strings and runs the task's own preprocessor in the
    graph, so what is served is what was trained. The tables of words travel
    inside; the optimizer and its state do not. What the model in memory answers
    to a few examples is recorded in `assets.extra/tf_bertembed.json`, for
    `verify` to compare with. The folder appears when it is complete, or not at
    all, as servers that watch `folder` need it.

    Args:
        task: a task of `tf_bertembed.tasks`, with a preprocessor. Any object
            with a `preprocessor`, `text_inputs` (names of its inputs) and
            `signatures()` (name to function from features to a dict of
            tensors) will do; its `check_parts()` is called if it has one. A
            signature that takes other strings is named by
            `signature_inputs()`: to the names of its inputs, and a function
            from a tuple of them to features.
        folder: string or `pathlib.Path`. The folder of all versions, for
            example `saved_models/bbc`; its last part is the model's name.
        version: int. The version, at least 1; `None` for the one after the
            highest in `folder`.
        examples: list of strings, for pairs list of tuples of two strings.
            The texts to record; `None` for a few of several languages, an
            empty one and one that is too long.
        overwrite: bool. Whether to replace a version that is there.

    Returns:
        The folder of the version as `pathlib.Path`.

    Raises:
        OutputExistsError: where the version exists and `overwrite` is False.
        FileFormatError: where `folder` is a file.
        BertEmbedError: where the version or an example is not as above, the
            task has no preprocessor or one that does not fit, an output does
            not begin with the batch or is not finite, or the graph holds what
            a stock TensorFlow Serving 2.19 cannot load.

    Example:

    ```python
    from tf_bertembed import export, models, tasks, text

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "good", "bad", "film"])
    backbone = models.BertEmbedBackbone(
        vocabulary_size=8, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16
    )
    task = tasks.TextClassifier(
        backbone, labels=["no", "yes"], preprocessor=text.Preprocessor(tokenizer, 16)
    )
    path = export.export_saved_model(task, "saved_models/films", examples=["good film"])
    assert path.as_posix() == "saved_models/films/1"
    ```

    References:
        - TensorFlow's guide to SavedModel: https://www.tensorflow.org/guide/saved_model
    """
    if getattr(task, "preprocessor", None) is None:
        raise BertEmbedError(
            "A task is exported together with its preprocessor. "
            f"Received: {type(task).__name__} with `preprocessor=None`."
        )
    if hasattr(task, "check_parts"):
        task.check_parts()
    columns = to_columns(examples, task.text_inputs)
    target = _version_folder(Path(folder), version)
    served = ServedTask(task)
    inputs = served.inputs_from(columns)
    outputs = served.answers_in_memory(inputs)
    remedy = "Choose another version, or pass `overwrite=True` to replace it."
    with atomic_path(target, overwrite=overwrite, remedy=remedy) as place:
        served.save(place)
        _check_servable(place)
        write_record(place, inputs, outputs, _versions())
    return target


class ServedTask:
    """The part of a task that is served: its functions, and the state that they read.

    Args:
        task: a task, as for `export_saved_model`.
    """

    def __init__(self, task):
        self._functions = task.signatures()
        self._preprocessor = task.preprocessor
        self._names = task.text_inputs
        self._others = task.signature_inputs() if hasattr(task, "signature_inputs") else {}
        self._traced = {name: self._trace(name) for name in self._functions}

    def _taken(self, signature):
        """The names of the inputs of a signature, and what makes features of them."""
        return self._others.get(signature, (self._names, self._features))

    def _features(self, texts):
        return self._preprocessor(texts if len(texts) > 1 else texts[0])

    def _trace(self, signature):
        names, features = self._taken(signature)

        def serve(*texts):
            return dict(self._functions[signature](features(texts)))

        specs = [tf.TensorSpec([None], tf.string, name=name) for name in names]
        traced = tf.function(serve, input_signature=specs, autograph=False)
        return traced.get_concrete_function()

    def inputs_from(self, columns):
        """Give each signature its inputs; another text to each for those of other names.

        Args:
            columns: dict. Per input of the task a list of strings.

        Returns:
            Per signature a dict of lists of strings.
        """
        first = next(iter(columns.values()))
        return {
            signature: {
                name: columns.get(name, first[shift:] + first[:shift])
                for shift, name in enumerate(self._taken(signature)[0])
            }
            for signature in self._functions
        }

    def answers_in_memory(self, inputs):
        """Run every signature eagerly.

        Args:
            inputs: dict. Per signature its inputs, each a list of strings.

        Returns:
            Per signature a dict of NumPy arrays.

        Raises:
            BertEmbedError: where an output does not begin with the batch or
                is not finite.
        """
        answers = {}
        for signature, function in self._functions.items():
            names, features = self._taken(signature)
            texts = tuple(tf.constant(inputs[signature][name]) for name in names)
            fixed = self._traced[signature].structured_outputs
            answers[signature] = {
                name: _to_numpy(f"{signature}.{name}", value, fixed[name].shape, len(texts[0]))
                for name, value in function(features(texts)).items()
            }
        return answers

    def save(self, place):
        """Write the SavedModel.

        Args:
            place: `pathlib.Path`. The folder to make.
        """
        options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
        with _quiet():
            tf.saved_model.save(self._state(), str(place), signatures=self._traced, options=options)

    def _state(self):
        # Only what the graphs read: a task would bring its optimizer along.
        module = tf.Module()
        graphs = [function.graph for function in self._traced.values()]
        module.weights = list({id(v): v for graph in graphs for v in graph.variables}.values())
        read = {
            id(tensor) for function in self._traced.values() for tensor in function.captured_inputs
        }
        module.tables = [
            resource
            for resource in tf.train.TrackableView(self._preprocessor).descendants()
            if isinstance(resource, tf.saved_model.experimental.TrackableResource)
            and id(resource.resource_handle) in read
        ]
        return module


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


def _version_folder(folder, version):
    if folder.exists() and not folder.is_dir():
        raise FileFormatError(folder, "A folder for the model's versions was expected.")
    if version is None:
        version = 1 + max(numbered_folders(folder), default=0)
    elif isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise BertEmbedError(f"`version` must be an int of at least 1. Received: {version!r}.")
    return folder / str(version)


def _check_servable(place):
    saved_model = message_class("SavedModel").FromString((place / "saved_model.pb").read_bytes())
    problems = servability_problems(saved_model.meta_graphs[0])
    if problems:
        raise BertEmbedError(
            f"A stock TensorFlow Serving could not load this model. Received: {' '.join(problems)}"
        )


def _versions():
    versions = {package: importlib.metadata.version(package) for package in PACKAGES}
    return {"tf_bertembed": tf_bertembed.__version__, **versions}


@contextlib.contextmanager
def _quiet():
    # It would report a folder that is renamed a moment later.
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
