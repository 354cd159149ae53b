"""Where contenders run: environments made on demand, or interpreters that are there."""

import json
import os
import subprocess
import sys
from pathlib import Path

ENVIRONMENTS = Path(__file__).resolve().parent.parent / ".envs"

# "project" is the Python that runs the driver: it holds this package and keras-nlp.
REQUIREMENTS = {
    "pytorch": [
        "torch==2.14.1",
        "transformers==5.23.0",
        "sentence-transformers==6.2.0",
        # For the export only.
        "onnx==1.23.2",
        "onnxscript==0.7.2",
    ],
    "onnx": ["onnxruntime==1.31.1", "tokenizers==0.23.3", "numpy==2.4.6"],
}


def interpreter(name, given):
    """Find the Python of an environment, and make the environment where there is none.

    Args:
        name: string. `"project"` or a name of `REQUIREMENTS`.
        given: dict of strings. Interpreters to use as they are, by name.
    """
    if name in given:
        return given[name]
    if name == "project":
        return sys.executable
    folder = ENVIRONMENTS / name
    python, stamp = folder / "bin" / "python", folder / "requirements.json"
    if stamp.exists() and json.loads(stamp.read_text()) == REQUIREMENTS[name]:
        return str(python)
    print(f"Making {os.path.relpath(folder)} (once): {' '.join(REQUIREMENTS[name])}", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *REQUIREMENTS[name]], check=True)
    # Last, so an install that broke off is done again.
    stamp.write_text(json.dumps(REQUIREMENTS[name]))
    return str(python)
