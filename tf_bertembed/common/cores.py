"""How many cores there are for this process."""

import os


def available_cores():
    """Count the cores that this process may use.

    Returns:
        An int, at least 1: those that `taskset` or a container leaves to it,
        where the system tells, else all of the machine's.

    Example:

    ```python
    from tf_bertembed import common

    assert common.available_cores() >= 1
    ```
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
