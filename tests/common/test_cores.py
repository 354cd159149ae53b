import os
import subprocess
import sys

import pytest

CODE = "from tf_bertembed import common; print(common.available_cores())"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system cannot pin processes")
def test_cores_that_a_process_is_held_to():
    core = min(os.sched_getaffinity(0))
    pinned = f"import os; os.sched_setaffinity(0, {{{core}}}); {CODE}"
    done = subprocess.run([sys.executable, "-c", pinned], capture_output=True, check=True)
    assert done.stdout == b"1\n"
