"""What TensorFlow's libraries write while they start, held back."""

import contextlib
import os
import re
import sys
import tempfile

# Written before TF_CPP_MIN_LOG_LEVEL is read, or at level "error" where there is simply no GPU.
NOISE = re.compile(rb"WARNING: All log messages before absl|[IW]\d{4} |E\d{4} .*\bcuInit\b")


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
