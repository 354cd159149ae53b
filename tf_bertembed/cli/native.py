"""TensorFlow started without noise about missing GPUs, and with memory that is kept."""

import contextlib
import ctypes
import importlib.machinery
import os
import sys

from tf_bertembed.common import available_cores
from tf_bertembed.common.native_noise import without_noise

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3  # malloc.h


def keep_freed_memory():
    """Have the C library keep memory that was freed, for the next step.

    A training step frees and asks again for the same hundreds of megabytes;
    given back to the system each time, they come back as page faults. For the
    whole process, so a command may do it and a library may not.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(M_MMAP_THRESHOLD, 32 * 2**20)  # the highest that glibc takes
        libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
        libc.mallopt(M_TOP_PAD, 64 * 2**20)  # each thread's heap grows by this


def start_tensorflow(streams=False):
    """Load TensorFlow and look for devices, quietly unless the user asked for its log.

    Args:
        streams: bool. Whether batches are to run side by side, each on a core
            of its own, which wastes less than many cores on one batch. The
            numbers of threads are global and are fixed at TensorFlow's first
            use, so a command may set them and a library may not; where
            TensorFlow was loaded before, they stay.

    Returns:
        An int, the number of cores.
    """
    cores = start_tensorflow_when_imported(streams)
    import tensorflow  # noqa: F401

    return cores


def start_tensorflow_when_imported(streams=False):
    """Have TensorFlow loaded as by `start_tensorflow`, but by the first who imports it.

    For commands that may find their answer without it: loading it takes
    seconds.

    Args:
        streams: bool. As for `start_tensorflow`.

    Returns:
        An int, the number of cores.
    """
    keep_freed_memory()
    cores = available_cores()
    waiting = any(isinstance(finder, _Starter) for finder in sys.meta_path)
    if "tensorflow" not in sys.modules and not waiting:
        sys.meta_path.insert(0, _Starter(cores if streams else None))
    return cores


class _Starter:
    """Finds TensorFlow as Python does, and sets it up when it has been loaded."""

    def __init__(self, streams):
        self._streams = streams

    def find_spec(self, name, path=None, target=None):
        if name != "tensorflow":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None:
            self._load = spec.loader.exec_module
            spec.loader.exec_module = self._start
        return spec

    def _start(self, module):
        sys.meta_path.remove(self)
        chosen = "TF_CPP_MIN_LOG_LEVEL" in os.environ
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        with contextlib.nullcontext() if chosen else without_noise():
            self._load(module)
            if self._streams is not None:
                threading = module.config.threading
                threading.set_intra_op_parallelism_threads(1)
                threading.set_inter_op_parallelism_threads(self._streams)
            module.config.list_physical_devices()
