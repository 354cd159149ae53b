"""TensorFlow started without noise about missing GPUs, and with memory that is kept."""

import contextlib
import ctypes
import os
import re
import sys
import tempfile

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


def start_tensorflow():
    """Load TensorFlow and look for devices, quietly unless the user asked for its log."""
    keep_freed_memory()
    chosen = "TF_CPP_MIN_LOG_LEVEL" in os.environ
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with contextlib.nullcontext() if chosen else without_noise():
        import tensorflow as tf
        import tensorflow_text  # noqa: F401

        tf.config.list_physical_devices()
