"""Texts that get no vector, and why."""

import dataclasses

from tf_bertembed.text.surrogates import half_pair

# What a row may bring along into the list of failures, in characters.
SHOWN = 200


@dataclasses.dataclass(frozen=True)
class TextFailure:
    """A text that got no vector.

    Args:
        reason: string. What was wrong, what was received, what would be right.
        received: string. The text, or whatever stood in its place, cut after
            200 characters.

    Example:

    ```python
    from tf_bertembed import bulk

    failure = bulk.TextFailure("A string was expected. Received: a NoneType.", "None")
    assert failure.reason.startswith("A string")
    ```
    """

    reason: str
    received: str


def failure_of(reason, value):
    """A `TextFailure` that shows the start of what was received.

    Args:
        reason: string. As for `TextFailure`.
        value: anything. What was received.

    Returns:
        A `TextFailure`.
    """
    shown = value if isinstance(value, str) else repr(value)
    # Half of a surrogate pair is written as an escape, so that every file can hold it.
    shown = shown[:SHOWN].encode("utf-8", "backslashreplace").decode("utf-8")
    return TextFailure(reason, shown)


def check_text(value, max_bytes):
    """Find out why something cannot be embedded.

    Args:
        value: anything. What should be a text.
        max_bytes: int. The most bytes of a text in UTF-8.

    Returns:
        A `TextFailure`; `None` where it is a text of that size at most.
    """
    if not isinstance(value, str):
        reason = f"A string was expected. Received: a {type(value).__name__}."
        return failure_of(reason, value)
    half = half_pair(value)
    if half is not None:
        return failure_of(f"The text holds {half}.", value)
    size = len(value.encode())
    if size > max_bytes:
        return failure_of(
            f"At most {max_bytes} bytes were expected. Received: {size} bytes.", value
        )
    return None
