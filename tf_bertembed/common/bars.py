"""Progress bars that go to a terminal and nowhere else."""

import contextlib
import sys

# The bars on the terminal, where there are any.
_shown = []


@contextlib.contextmanager
def progress(description, total=None):
    """Show a progress bar on stderr, only where stderr is a terminal.

    One within another stands below it.

    Args:
        description: string. What is being done.
        total: int. The number of steps; `None` where it is not known.

    Yields:
        A function that takes the number of steps done since its last call,
        1 by default.

    Example:

    ```python
    from tf_bertembed import common

    with common.progress("Counting", total=3) as advance:
        for _ in range(3):
            advance()
    ```
    """
    if not sys.stderr.isatty():
        yield lambda steps=1: None
        return
    with _bars() as bars:
        task = bars.add_task(description, total=total)
        try:
            yield lambda steps=1: bars.advance(task, steps)
        finally:
            bars.remove_task(task)


@contextlib.contextmanager
def _bars():
    if _shown:
        yield _shown[0]
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bars:
        _shown.append(bars)
        try:
            yield bars
        finally:
            _shown.remove(bars)
