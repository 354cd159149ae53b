"""TensorFlow's C library out of the installed wheel, called with ctypes."""

import contextlib
import ctypes
import functools
import importlib.util
import re
from pathlib import Path

import numpy as np

from tf_bertembed.common import BertEmbedError, MissingPackageError

LIBRARY = "libtensorflow_cc.so.2"
STRING = 7
NUMBERS = {
    1: np.float32,
    2: np.float64,
    3: np.int32,
    4: np.uint8,
    5: np.int16,
    6: np.int8,
    9: np.int64,
    10: np.bool_,
    17: np.uint16,
    19: np.float16,
    22: np.uint32,
    23: np.uint64,
}
TSTRING_BYTES = 24

Handle = ctypes.c_void_p


class Buffer(ctypes.Structure):
    """`TF_Buffer` of tensorflow/c/tf_buffer.h."""

    _fields_ = (("data", Handle), ("length", ctypes.c_size_t), ("deallocator", Handle))


class Output(ctypes.Structure):
    """`TF_Output` of tensorflow/c/c_api.h: one output of an operation."""

    _fields_ = (("operation", Handle), ("index", ctypes.c_int))


_INT, _SIZE, _TEXT = ctypes.c_int, ctypes.c_size_t, ctypes.c_char_p
_BUFFER, _OUTPUTS = ctypes.POINTER(Buffer), ctypes.POINTER(Output)
_DIMENSIONS, _HANDLES = ctypes.POINTER(ctypes.c_int64), ctypes.POINTER(Handle)

# Result and arguments, as declared in tensorflow/c/{c_api,tf_tensor,tf_tstring,tf_status}.h.
FUNCTIONS = {
    "TF_Version": (_TEXT,),
    "TF_NewStatus": (Handle,),
    "TF_DeleteStatus": (None, Handle),
    "TF_GetCode": (_INT, Handle),
    "TF_Message": (_TEXT, Handle),
    "TF_NewBuffer": (_BUFFER,),
    "TF_DeleteBuffer": (None, _BUFFER),
    "TF_LoadLibrary": (Handle, _TEXT, Handle),
    "TF_NewGraph": (Handle,),
    "TF_DeleteGraph": (None, Handle),
    "TF_GraphOperationByName": (Handle, Handle, _TEXT),
    "TF_NewSessionOptions": (Handle,),
    "TF_SetConfig": (None, Handle, _TEXT, _SIZE, Handle),
    "TF_DeleteSessionOptions": (None, Handle),
    "TF_LoadSessionFromSavedModel": (
        *(Handle, Handle, _BUFFER, _TEXT),
        *(ctypes.POINTER(_TEXT), _INT, Handle, _BUFFER, Handle),
    ),
    "TF_CloseSession": (None, Handle, Handle),
    "TF_DeleteSession": (None, Handle, Handle),
    "TF_SessionRun": (
        *(None, Handle, _BUFFER),
        *(_OUTPUTS, _HANDLES, _INT),
        *(_OUTPUTS, _HANDLES, _INT),
        *(_HANDLES, _INT, _BUFFER, Handle),
    ),
    "TF_AllocateTensor": (Handle, _INT, _DIMENSIONS, _INT, _SIZE),
    "TF_DeleteTensor": (None, Handle),
    "TF_TensorType": (_INT, Handle),
    "TF_NumDims": (_INT, Handle),
    "TF_Dim": (ctypes.c_int64, Handle, _INT),
    "TF_TensorByteSize": (_SIZE, Handle),
    "TF_TensorElementCount": (ctypes.c_int64, Handle),
    "TF_TensorData": (Handle, Handle),
    "TF_StringInit": (None, Handle),
    "TF_StringCopy": (None, Handle, _TEXT, _SIZE),
    "TF_StringGetDataPointer": (Handle, Handle),
    "TF_StringGetSize": (_SIZE, Handle),
    "TF_StringDealloc": (None, Handle),
}


# Where in the graph it went wrong, a line for each function on the way.
TRACE = re.compile(
    r"\[\[(?:\{\{[^{}]*\}\})+\]\]|\[\[[\w/.:>-]+\]\]|\{\{(?:function_)?node [^{}]*\}\}"
)


def one_line(message):
    """What TensorFlow says, without its traces, in one line.

    Args:
        message: string. What `TF_Message` gives.

    Returns:
        A string.
    """
    return " ".join(TRACE.sub(" ", message).split())


class CallError(BertEmbedError):
    """What TensorFlow answered instead of doing what it was asked."""


def _folder(package):
    # `find_spec` of a top-level package runs none of its code.
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise MissingPackageError(
            [package.replace("_", "-")], "Running an exported model through TensorFlow's C library"
        )
    return Path(next(iter(spec.submodule_search_locations)))


@contextlib.contextmanager
def checked(library):
    """Give a `TF_Status` to a call and raise what the call put into it.

    Args:
        library: `ctypes.CDLL`. What `load` returned.

    Yields:
        The handle of the status.

    Raises:
        CallError: where the status is not OK.
    """
    status = library.TF_NewStatus()
    try:
        yield status
        if library.TF_GetCode(status):
            raise CallError(one_line(library.TF_Message(status).decode("utf-8", "replace")))
    finally:
        library.TF_DeleteStatus(status)


@functools.cache
def load():
    """Load the C library of TensorFlow and the ops of TensorFlow Text, once.

    Nothing of TensorFlow's Python is imported.

    Returns:
        A `ctypes.CDLL` whose functions have their types declared.

    Raises:
        MissingPackageError: where `tensorflow` or `tensorflow-text` is not
            installed.
        BertEmbedError: where the installed TensorFlow carries no C library,
            or a library of ops that does not load.

    Example:

    ```python
    from tf_bertembed.export import c_library

    assert c_library.load().TF_Version().startswith(b"2.")
    ```
    """
    path = _folder("tensorflow") / LIBRARY
    if not path.exists():
        raise BertEmbedError(
            f"{path} does not exist. TensorFlow's wheels for Linux carry its C library there; "
            "install one with pip install tensorflow."
        )
    # Global: libraries of ops carry copies of protobuf's code, and a map that one
    # copy filled another cannot read; this way all resolve to TensorFlow's copy.
    library = ctypes.CDLL(str(path), ctypes.RTLD_GLOBAL)
    for name, (result, *arguments) in FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    # core/pybinds beside it holds extensions of Python, not ops.
    for operations in sorted((_folder("tensorflow_text") / "python").rglob("*.so")):
        try:
            with checked(library) as status:
                library.TF_LoadLibrary(str(operations).encode(), status)
        except CallError as error:
            raise BertEmbedError(
                f"{operations} does not load into TensorFlow "
                f"{library.TF_Version().decode()}. Install a tensorflow-text of the same "
                f"version. Received: {error}"
            ) from error
    return library


@contextlib.contextmanager
def string_tensor(library, texts):
    """Copy strings into a `TF_Tensor` and free both afterwards.

    Args:
        library: `ctypes.CDLL`. What `load` returned.
        texts: list of strings or bytes. Strings are encoded as UTF-8.

    Yields:
        The handle of a tensor of strings with shape `[len(texts)]`.
    """
    dimensions = (ctypes.c_int64 * 1)(len(texts))
    tensor = library.TF_AllocateTensor(STRING, dimensions, 1, TSTRING_BYTES * len(texts))
    start = library.TF_TensorData(tensor) or 0
    places = [start + TSTRING_BYTES * index for index in range(len(texts))]
    try:
        for place in places:
            library.TF_StringInit(place)
        for place, text in zip(places, texts, strict=True):
            encoded = text if isinstance(text, bytes) else text.encode("utf-8")
            library.TF_StringCopy(place, encoded, len(encoded))
        yield tensor
    finally:
        # A tensor frees its own memory, not that of the strings put into it.
        for place in places:
            library.TF_StringDealloc(place)
        library.TF_DeleteTensor(tensor)


def decode_text(encoded, name):
    """Decode a string that a model answered.

    Args:
        encoded: bytes. The string.
        name: string. The name of the output.

    Returns:
        A string.

    Raises:
        BertEmbedError: where it is not UTF-8.
    """
    try:
        return encoded.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BertEmbedError(
            "Strings that a model answers must be UTF-8. "
            f"Received: {encoded[:40]!r} in the output {name!r} ({error.reason})."
        ) from error


def to_numpy(library, tensor, name):
    """Copy a `TF_Tensor` into NumPy.

    Args:
        library: `ctypes.CDLL`. What `load` returned.
        tensor: the handle of a tensor of strings or numbers.
        name: string. The name of the output, for messages.

    Returns:
        A NumPy array that owns its memory; strings become an array of `str`.

    Raises:
        BertEmbedError: where the tensor holds neither strings nor numbers
            that NumPy has, or a string in it is not UTF-8.
    """
    kind = library.TF_TensorType(tensor)
    shape = [library.TF_Dim(tensor, axis) for axis in range(library.TF_NumDims(tensor))]
    start = library.TF_TensorData(tensor) or 0
    if kind == STRING:
        places = range(
            start, start + TSTRING_BYTES * library.TF_TensorElementCount(tensor), TSTRING_BYTES
        )
        texts = [
            decode_text(
                ctypes.string_at(
                    library.TF_StringGetDataPointer(place), library.TF_StringGetSize(place)
                ),
                name,
            )
            for place in places
        ]
        return np.array(texts, dtype=np.str_).reshape(shape)
    if kind not in NUMBERS:
        raise BertEmbedError(
            "Strings and numbers that NumPy has can be read. "
            f"Received: a tensor of TensorFlow's data type {kind} in the output {name!r}."
        )
    data = ctypes.string_at(start, library.TF_TensorByteSize(tensor)) if start else b""
    return np.frombuffer(data, dtype=NUMBERS[kind]).reshape(shape).copy()
