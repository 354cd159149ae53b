"""What is known of the request that is being answered, for logs and metrics."""

import contextlib
import contextvars

_FACTS = contextvars.ContextVar("facts", default=None)


@contextlib.contextmanager
def collect():
    """Collect facts in this context, and in threads that run in a copy of it.

    Yields:
        A dict that `note` fills.
    """
    facts = {}
    token = _FACTS.set(facts)
    try:
        yield facts
    finally:
        _FACTS.reset(token)


def note(**facts):
    """Add to the facts of the request, where they are collected."""
    collected = _FACTS.get()
    if collected is not None:
        collected.update(facts)


def current():
    """The facts so far; an empty dict where none are collected."""
    return _FACTS.get() or {}
