import os
import subprocess
import sys

import pytest

from tf_bertembed.cli.native import without_noise

NOISE = [
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
    "I0000 00:00:1795 7259 cudart_stub.cc:31] Could not find cuda drivers on your machine",
    "E0000 00:00:1795 7259 cuda_platform.cc:52] failed call to cuInit: INTERNAL: CUDA error",
]
NEWS = ["E0000 00:00:1795 7259 other.cc:1] out of memory", "Aborted, and why", "Idle 0000 hands"]


def test_only_noise_is_held_back(capfd):
    with without_noise():
        os.write(2, "\n".join([*NOISE, *NEWS, ""]).encode())
    os.write(2, b"after\n")
    assert capfd.readouterr().err.splitlines() == [*NEWS, "after"]


def test_what_was_said_before_an_error_is_passed_on(capfd):
    def load():
        with without_noise():
            os.write(2, b"libcudart.so is missing\n")
            raise ImportError

    with pytest.raises(ImportError):
        load()
    assert capfd.readouterr().err == "libcudart.so is missing\n"


def _told(code):
    """What a process of its own writes to stdout and to stderr."""
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    return done.stdout, done.stderr


# Each command starts so in `test_embed.py`; here it is TensorFlow alone.
@pytest.mark.slow
def test_tensorflow_starts_in_silence():
    code = (
        "from tf_bertembed.cli.native import start_tensorflow\n"
        "start_tensorflow()\n"
        "import tensorflow as tf\n"
        "print(int(tf.function(lambda x: x + 1)(tf.constant(1))))\n"
    )
    assert _told(code) == ("2\n", "")


@pytest.mark.slow
def test_tensorflow_starts_so_whoever_imports_it():
    code = (
        "import sys\n"
        "from tf_bertembed.cli.native import start_tensorflow_when_imported\n"
        "cores = [start_tensorflow_when_imported(streams=True) for _ in range(2)]\n"
        "assert 'tensorflow' not in sys.modules\n"
        "import importlib.util\n"
        "assert importlib.util.find_spec('tensorflow') is not None\n"
        "import keras\n"
        "import tensorflow as tf\n"
        "threads = tf.config.threading\n"
        "found = threads.get_intra_op_parallelism_threads()\n"
        "assert (found, [threads.get_inter_op_parallelism_threads()] * 2) == (1, cores)\n"
        "assert not [f for f in sys.meta_path if 'tf_bertembed' in type(f).__module__]\n"
        "print(int(tf.function(lambda x: x + 1)(tf.constant(1))))\n"
    )
    assert _told(code) == ("2\n", "")
