"""Run an exported model in a process of its own, which never imports TensorFlow.

The process gets a request and leaves a response, both JSON files; what TensorFlow
itself prints cannot get between them.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tf_bertembed.common import BertEmbedError, FileFormatError
from tf_bertembed.export import records
from tf_bertembed.export.c_api import CApiModel, require_saved_model
from tf_bertembed.export.inspection import inspect
from tf_bertembed.text.checks import check_texts

# Stands for the name of an input that the caller left out.
ONLY_INPUT = ""
# A process that loads and asks the largest models is done long before.
TIMEOUT_SECONDS = 1800

PACKAGE_ROOT = str(Path(__file__).resolve().parents[2])


class ProcessError(BertEmbedError):
    """The fresh process crashed, or did not come to an end."""


def answer(path, inputs, signature="serving_default"):
    """Answer strings from an exported model, in a fresh process without TensorFlow's Python.

    Loading the model takes about as long as its files are big, each time. To
    ask often, keep a `CApiModel`.

    Args:
        path: string or `pathlib.Path`. The folder of one version, for example
            `saved_models/bbc/1`.
        inputs: list of strings, or dict. The texts for a signature with one
            input; otherwise per input a list of strings. Serialized
            `tf.Example`s are bytes.
        signature: string. The name of the signature.

    Returns:
        A dict of the outputs as NumPy arrays; strings are `str`.

    Raises:
        MissingFileError: where there is nothing at `path`.
        FileFormatError: where `path` is no SavedModel.
        BertEmbedError: where the inputs are no lists of strings, the signature
            or its inputs are not the model's, or TensorFlow fails.

    Example:

    ```python
    import tensorflow as tf
    from tf_bertembed import export

    class Upper(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
        def __call__(self, text):
            return {"upper": tf.strings.upper(text)}

    module = Upper()
    tf.saved_model.save(module, "upper", {"serving_default": module.__call__})

    assert export.answer("upper", ["a", "b"])["upper"].tolist() == ["A", "B"]
    ```
    """
    if isinstance(inputs, dict):
        inputs = {name: _checked(texts, f"`{name}`") for name, texts in inputs.items()}
    else:
        inputs = _checked(inputs)
    response = run(path, {signature: inputs})
    return response["outputs"][signature]


def _checked(texts, of=""):
    listed = isinstance(texts, list) and texts
    return texts if listed and all(isinstance(t, bytes) for t in texts) else check_texts(texts, of)


def run(path, requests, inspected=False):
    """Load an exported model in a fresh process and run some of its signatures.

    Args:
        path: string or `pathlib.Path`. The folder of one version.
        requests: dict. Per signature its inputs, as for `answer`.
        inspected: bool. Whether to do all that `inspection.inspect` does,
            where a signature that fails is a problem and not an error.

    Returns:
        A dict: `outputs`, per signature a dict of arrays; and all else that
        `inspection.inspect` gives, where that was asked.

    Raises:
        FileFormatError: where TensorFlow cannot load the model.
        ProcessError: where the process crashes or takes too long.
        BertEmbedError: else as for `answer`.
    """
    path = require_saved_model(path)
    with tempfile.TemporaryDirectory(prefix="tf_bertembed.") as folder:
        request_file, response_file = Path(folder, "request.json"), Path(folder, "response.json")
        encoded = {
            signature: records.encode_inputs(
                inputs if isinstance(inputs, dict) else {ONLY_INPUT: inputs}
            )
            for signature, inputs in requests.items()
        }
        request_file.write_text(
            json.dumps({"path": str(path.resolve()), "requests": encoded, "inspected": inspected}),
            encoding="utf-8",
        )
        environment = dict(os.environ)
        # The package's own place too: "" in sys.path may have meant another folder.
        places = [*(entry or os.getcwd() for entry in sys.path), PACKAGE_ROOT]
        environment["PYTHONPATH"] = os.pathsep.join(places)
        environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
        try:
            process = subprocess.run(
                [sys.executable, "-m", __name__, str(request_file), str(response_file)],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=TIMEOUT_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise ProcessError(
                f"The process that runs {path} was ended since it took more than "
                f"{TIMEOUT_SECONDS:g} seconds."
            ) from error
        if not response_file.exists():
            last = process.stderr.decode("utf-8", "replace").strip().splitlines()[-5:]
            raise ProcessError(
                f"The process that runs {path} ended with code {process.returncode}. "
                f"Received: {' / '.join(last) or 'no output'}"
            )
        response = json.loads(response_file.read_text(encoding="utf-8"))
    if "file_error" in response:
        raise FileFormatError(path, response["file_error"])
    if "error" in response:
        raise BertEmbedError(response["error"].replace(str(path.resolve()), str(path)))
    for lines in (response[kind] for kind in ("problems", "notes") if kind in response):
        lines[:] = [line.replace(str(path.resolve()), str(path)) for line in lines]
    response["outputs"] = {
        signature: {name: records.decode(entry) for name, entry in arrays.items()}
        for signature, arrays in response["outputs"].items()
    }
    return response


def _answer_all(path, requests):
    with CApiModel(path) as model:
        outputs = {}
        for signature, inputs in requests.items():
            if list(inputs) == [ONLY_INPUT]:
                inputs = {model.only_input(signature): inputs[ONLY_INPUT]}
            arrays = model.run(inputs, signature)
            outputs[signature] = {name: records.encode(array) for name, array in arrays.items()}
        return {"outputs": outputs}


def main(request_file, response_file):
    """Answer one request; the body of the fresh process.

    Args:
        request_file: string. A JSON file with the path and the requests.
        response_file: string. Where to write the response.
    """
    request = json.loads(Path(request_file).read_text(encoding="utf-8"))
    requests = {
        signature: records.decode_inputs(inputs)
        for signature, inputs in request["requests"].items()
    }
    try:
        response = (inspect if request["inspected"] else _answer_all)(request["path"], requests)
    except FileFormatError as error:
        response = {"file_error": error.problem}
    except BertEmbedError as error:
        response = {"error": str(error)}
    if "tensorflow" in sys.modules:
        raise RuntimeError("TensorFlow's Python was imported; nothing here may do so.")
    Path(response_file).write_text(json.dumps(response), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
