"""TensorFlow started without noise about missing GPUs, and with memory that is kept."""

import contextlib
import ctypes
import os
import re
import sys
import tempfile

from tf_bertembed.common import available_cores

# Written before TF_CPP_MIN_LOG_LEVEL is read, or at level "error" where there is simply no GPU.
NOISE = re.compile(rb"WARNING: All log messages before absl|[IW]\d{4} |E\d{4} .*\bcuInit\b")

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3  # malloc.h


@contextlib.contextmanager
def without_noise():
    """Hold back what is written to the file descriptor of stderr; pass on all but the noise."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            caught.seek(0)
            for line in caught:
                if not NOISE.match(line):
                    os.write(2, line)


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
    keep_freed_memory()
    cores = available_cores()
    streams = streams and "tensorflow" not in sys.modules
    chosen = "TF_CPP_MIN_LOG_LEVEL" in os.environ
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with contextlib.nullcontext() if chosen else without_noise():
        import tensorflow as tf
        import tensorflow_text  # noqa: F401

        if streams:
            tf.config.threading.set_intra_op_parallelism_threads(1)
            tf.config.threading.set_inter_op_parallelism_threads(cores)
        tf.config.list_physical_devices()
    return cores
