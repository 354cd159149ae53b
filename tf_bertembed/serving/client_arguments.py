"""What a client is made with, checked before anything is sent."""

import numbers

from tf_bertembed.common import BertEmbedError, is_whole


def check_choice(model, version, label):
    """Check which model is asked.

    Args:
        model: string. Its name.
        version: int or `None`.
        label: string or `None`.

    Raises:
        BertEmbedError: where one of them names nothing.
    """
    if not _is_name(model):
        raise BertEmbedError(
            "`model` must name a model, without spaces and control characters. "
            f"Received: {model!r}."
        )
    if version is not None and label is not None:
        raise BertEmbedError(
            f"Either `version` or `label` names a version. Received: {version} and {label!r}."
        )
    if version is not None and not (is_whole(version) and 0 <= version < 2**63):
        raise BertEmbedError(f"`version` must be a whole number. Received: {version!r}.")
    if label is not None and not _is_name(label):
        raise BertEmbedError(
            f"`label` must be a label, without spaces and control characters. Received: {label!r}."
        )


def check_bounds(timeout, retries, pause, batch_size):
    """Check how a client asks.

    Args:
        timeout: float.
        retries: int.
        pause: float.
        batch_size: int.

    Raises:
        BertEmbedError: where one is no number, or too small.
    """
    for name, value, least, suits, kind in (
        ("timeout", timeout, 1e-3, _is_number, "a number"),
        ("retries", retries, 0, is_whole, "a whole number"),
        ("pause", pause, 0, _is_number, "a number"),
        ("batch_size", batch_size, 1, is_whole, "a whole number"),
    ):
        if not suits(value):
            raise BertEmbedError(f"`{name}` must be {kind}. Received: {value!r}.")
        if not value >= least:
            raise BertEmbedError(f"`{name}` must be at least {least}. Received: {value}.")


def check_signature(name):
    """Check the name of a signature.

    Args:
        name: string.

    Raises:
        BertEmbedError: where it is something else.
    """
    if not isinstance(name, str):
        raise BertEmbedError(
            "`signature` must be the name of a signature; several inputs are given as a dict. "
            f"Received: {type(name).__name__}."
        )


def _is_name(value):
    # Neither half of a surrogate pair nor a line break is printable.
    return isinstance(value, str) and value != "" and value.isprintable() and " " not in value


def _is_number(value):
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
