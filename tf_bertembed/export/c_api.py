"""An exported model that answers strings, without TensorFlow's Python."""

import contextlib
import ctypes
import weakref
from pathlib import Path

from tf_bertembed.common import BertEmbedError, FileFormatError, MissingFileError
from tf_bertembed.export import c_library
from tf_bertembed.export.protos import message_class


def require_saved_model(path):
    """Check that a folder looks like one version of an exported model.

    Args:
        path: string or `pathlib.Path`. The folder, for example
            `saved_models/bbc/1`.

    Returns:
        The path as `pathlib.Path`.

    Raises:
        MissingFileError: where there is nothing at `path`.
        FileFormatError: where `path` is a file, or a folder that holds no
            `saved_model.pb`.
    """
    path = Path(path)
    if not path.exists():
        raise MissingFileError(path, "A folder NAME/VERSION with an exported model was expected.")
    if not path.is_dir():
        raise FileFormatError(path, "A folder NAME/VERSION was expected, this is a file.")
    if not (path / "saved_model.pb").is_file():
        versions = sorted(
            (child.name for child in path.iterdir() if (child / "saved_model.pb").is_file()),
            key=lambda name: (len(name), name),
        )
        hint = (
            f"Give the version too, for example {path / versions[-1]}."
            if versions
            else "Make one with `export.export_saved_model`."
        )
        raise FileFormatError(path, f"The folder holds no saved_model.pb. {hint}")
    return path


class CApiModel:
    """A SavedModel loaded through TensorFlow's C API, as servers written in C++ do.

    The libraries come from the installed wheels of TensorFlow and TensorFlow
    Text; none of their Python is imported, and no GPU is taken. Use it as a
    context manager, or call `close`, to free the session.

    Args:
        path: string or `pathlib.Path`. The folder of one version, for example
            `saved_models/bbc/1`.

    Attributes:
        path: `pathlib.Path`. The folder.
        meta_graph: protobuf message. The `MetaGraphDef` of the model, as far
            as `tf_bertembed.export.protos` knows it.
        signatures: dict. Per signature a pair of tuples of strings: the names
            of its inputs and of its outputs.
        tensorflow: string. The version of the C library.

    Example:

    ```python
    import tensorflow as tf
    from tf_bertembed.export import CApiModel

    class Upper(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
        def __call__(self, text):
            return {"upper": tf.strings.upper(text)}

    module = Upper()
    tf.saved_model.save(module, "upper", {"serving_default": module.__call__})

    with CApiModel("upper") as model:
        assert model.signatures == {"serving_default": (("text",), ("upper",))}
        assert model.run({"text": ["a", "b"]})["upper"].tolist() == ["A", "B"]
    ```
    """

    def __init__(self, path):
        self.path = require_saved_model(path)
        self._library = c_library.load()
        self.tensorflow = self._library.TF_Version().decode()
        with contextlib.ExitStack() as resources:
            self._graph = self._library.TF_NewGraph()
            resources.callback(self._library.TF_DeleteGraph, self._graph)
            self._session, self.meta_graph = self._load()
            resources.callback(_delete_session, self._library, self._session)
            self._close = weakref.finalize(self, resources.pop_all().close)
        self._definitions = {
            name: definition
            for name, definition in self.meta_graph.signature_def.items()
            if not name.startswith("__")
        }
        self.signatures = {
            name: (tuple(sorted(definition.inputs)), tuple(sorted(definition.outputs)))
            for name, definition in self._definitions.items()
        }

    def _load(self):
        library = self._library
        # A process that trains may hold the GPU's memory: stay on the CPU.
        config = message_class("ConfigProto")(device_count={"GPU": 0}, allow_soft_placement=True)
        encoded = config.SerializeToString()
        tags = (ctypes.c_char_p * 1)(b"serve")
        with contextlib.ExitStack() as resources:
            options = library.TF_NewSessionOptions()
            resources.callback(library.TF_DeleteSessionOptions, options)
            buffer = library.TF_NewBuffer()
            resources.callback(library.TF_DeleteBuffer, buffer)
            with c_library.checked(library) as status:
                library.TF_SetConfig(options, encoded, len(encoded), status)
            try:
                with c_library.checked(library) as status:
                    session = library.TF_LoadSessionFromSavedModel(
                        *(options, None, str(self.path).encode()),
                        *(tags, len(tags), self._graph, buffer, status),
                    )
            except c_library.CallError as error:
                raise FileFormatError(
                    self.path, f"TensorFlow cannot load this SavedModel: {error}"
                ) from error
            content = buffer.contents
            meta_graph = message_class("MetaGraphDef").FromString(
                ctypes.string_at(content.data, content.length)
            )
        return session, meta_graph

    def close(self):
        """Free the session and its graph; a second call does nothing.

        Example:

        ```python
        import tensorflow as tf
        from tf_bertembed.export import CApiModel

        module = tf.Module()
        module.serve = tf.function(
            lambda text: {"length": tf.strings.length(text)},
            input_signature=[tf.TensorSpec([None], tf.string, name="text")],
        )
        tf.saved_model.save(module, "length", {"serving_default": module.serve})

        model = CApiModel("length")
        assert model.run({"text": ["one", "three"]})["length"].tolist() == [3, 5]
        model.close()
        ```
        """
        self._close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def run(self, inputs, signature="serving_default"):
        """Answer strings with one signature of the model.

        Args:
            inputs: dict. Per input of the signature a list of strings, all of
                one length.
            signature: string. The name of the signature.

        Returns:
            A dict of the outputs as NumPy arrays; strings are `str`.

        Raises:
            BertEmbedError: where the model is closed, the signature or the
                names of the inputs are not the model's, or TensorFlow fails.

        Example:

        ```python
        import tensorflow as tf
        from tf_bertembed.export import CApiModel

        module = tf.Module()
        module.join = tf.function(
            lambda text_a, text_b: {"joined": text_a + text_b},
            input_signature=[
                tf.TensorSpec([None], tf.string, name=name) for name in ("text_a", "text_b")
            ],
        )
        tf.saved_model.save(module, "join", {"join": module.join})

        with CApiModel("join") as model:
            outputs = model.run({"text_a": ["a"], "text_b": ["我"]}, signature="join")
        assert outputs["joined"].tolist() == ["a我"]
        ```
        """
        library, definition = self._library, self._definition(signature)
        names = sorted(definition.inputs)
        self._check_inputs(inputs, signature, names)
        outputs = sorted(definition.outputs)
        feeds = (c_library.Output * len(names))(
            *(self._output(definition.inputs[name]) for name in names)
        )
        fetches = (c_library.Output * len(outputs))(
            *(self._output(definition.outputs[name]) for name in outputs)
        )
        results = (c_library.Handle * len(outputs))()
        with contextlib.ExitStack() as resources:
            tensors = (c_library.Handle * len(names))(
                *(
                    resources.enter_context(c_library.string_tensor(library, list(inputs[name])))
                    for name in names
                )
            )
            try:
                with c_library.checked(library) as status:
                    library.TF_SessionRun(
                        *(self._session, None, feeds, tensors, len(feeds)),
                        *(fetches, results, len(fetches), None, 0, None, status),
                    )
            except c_library.CallError as error:
                raise BertEmbedError(
                    f"{self.path}: the signature {signature!r} failed. Received: {error}"
                ) from error
            # Freed before the inputs: an output may share an input's memory.
            for result in results:
                resources.callback(library.TF_DeleteTensor, result)
            return {
                name: c_library.to_numpy(library, result, name)
                for name, result in zip(outputs, results, strict=True)
            }

    def only_input(self, signature="serving_default"):
        """Name the input of a signature that has just one.

        Args:
            signature: string. The name of the signature.

        Returns:
            A string.

        Raises:
            BertEmbedError: where the model has no such signature, or it takes
                more than one input.

        Example:

        ```python
        import tensorflow as tf
        from tf_bertembed.export import CApiModel

        module = tf.Module()
        module.serve = tf.function(
            lambda text: {"length": tf.strings.length(text)},
            input_signature=[tf.TensorSpec([None], tf.string, name="text")],
        )
        tf.saved_model.save(module, "length", {"serving_default": module.serve})

        with CApiModel("length") as model:
            assert model.only_input() == "text"
        ```
        """
        names = sorted(self._definition(signature).inputs)
        if len(names) != 1:
            raise BertEmbedError(
                f"{self.path}: the signature {signature!r} takes {', '.join(names)}: "
                "give a dict with a list of strings for each. Received: a list."
            )
        return names[0]

    def _definition(self, signature):
        if not self._close.alive:
            raise BertEmbedError(f"{self.path}: the model is closed. Load it again.")
        if signature not in self._definitions:
            raise BertEmbedError(
                f"{self.path} has the signatures {', '.join(sorted(self._definitions))}. "
                f"Received: {signature!r}."
            )
        return self._definitions[signature]

    def _check_inputs(self, inputs, signature, names):
        if sorted(inputs) != names:
            raise BertEmbedError(
                f"{self.path}: the signature {signature!r} takes {', '.join(names)}. "
                f"Received: {', '.join(sorted(inputs)) or 'nothing'}."
            )
        for name in names:
            if self._definitions[signature].inputs[name].dtype != c_library.STRING:
                raise BertEmbedError(
                    f"{self.path}: the input {name!r} of {signature!r} takes no strings; "
                    "only models with strings as inputs can be run here."
                )
            texts = inputs[name]
            if isinstance(texts, (str, bytes)) or not all(
                isinstance(text, (str, bytes)) for text in texts
            ):
                raise BertEmbedError(f"`{name}` must be a list of strings. Received: {texts!r}.")

    def _output(self, tensor_info):
        name, _, index = tensor_info.name.partition(":")
        operation = self._library.TF_GraphOperationByName(self._graph, name.encode())
        if not operation:
            raise FileFormatError(self.path, f"The graph holds no operation {name!r}.")
        return c_library.Output(operation, int(index or 0))


def _delete_session(library, session):
    for delete in (library.TF_CloseSession, library.TF_DeleteSession):
        with c_library.checked(library) as status:
            delete(session, status)
