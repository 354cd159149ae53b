"""The transformers that a saved probe may name, and what they learned, as plain values."""

import importlib
import numbers
from pathlib import PurePath

import numpy as np
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils.validation import check_is_fitted

from tf_bertembed.common import BertEmbedError

# A file names one of these; nothing is imported by a name that a file gives.
OWN = {
    "BertEmbedTransformer": "bert_embed_transformer",
    "WhiteningTransformer": "whitening_transformer",
    "WordVectorTransformer": "word_vector_transformer",
}
JOINED = {"Pipeline": Pipeline, "FeatureUnion": FeatureUnion}
# Where this machine keeps things is nothing that a file may choose for another.
STAYS = {"cache"}
# What these learn in `fit`, by the names of scikit-learn's manner.
LEARNED = {
    "BertEmbedTransformer": {"model_digest_": str, "n_features_out_": int},
    "WhiteningTransformer": {
        "feature_names_in_": np.ndarray,
        "mean_": np.ndarray,
        "n_features_in_": int,
        "whitening_": np.ndarray,
    },
    "WordVectorTransformer": {
        "n_features_out_": int,
        "removal_": (np.ndarray, type(None)),
        "unseen_weight_": float,
        "vectors_digest_": str,
        "word_weights_": dict,
    },
}
# There only where columns had names.
OPTIONAL = {"feature_names_in_"}
ARRAY = "array"


def describe_transformer(transformer, arrays, prefix="features"):
    """Put a fitted transformer into plain values.

    Args:
        transformer: a transformer of `probe`, or a `Pipeline` or
            `FeatureUnion` of such.
        arrays: dict that takes its arrays, by names that begin with `prefix`.
        prefix: string.

    Returns:
        A dict for JSON.

    Raises:
        BertEmbedError: where it is another, or holds what is no plain value.
    """
    kind = type(transformer).__name__
    if JOINED.get(kind) is type(transformer):
        return _describe_joined(transformer, arrays, prefix)
    if kind not in OWN or type(transformer) is not _own_class(kind):
        known = ", ".join([*OWN, *JOINED])
        raise BertEmbedError(
            f"A saved probe takes its features from one of {known}. Received: {kind}. "
            "Save the features' part by joblib, and a probe with `features=None` beside it."
        )
    check_is_fitted(transformer)
    settings = {
        name: plain(value, f"`{name}` of {kind}")
        for name, value in transformer.get_params(deep=False).items()
        if name not in STAYS
    }
    learned = {}
    for name, value in vars(transformer).items():
        if name.startswith("_") or not name.endswith("_"):
            continue
        value = value.item() if isinstance(value, np.generic) else value
        _check_learned(kind, name, value)
        if isinstance(value, np.ndarray):
            # Names of columns are the only objects among them.
            arrays[f"{prefix}.{name}"] = value.astype(str) if value.dtype == object else value
            learned[name] = {ARRAY: f"{prefix}.{name}"}
        else:
            learned[name] = plain(value, f"`{name}` of {kind}")
    return {"class": kind, "settings": settings, "learned": learned}


def _describe_joined(transformer, arrays, prefix):
    kind = type(transformer).__name__
    steps = transformer.steps if kind == "Pipeline" else transformer.transformer_list
    if kind == "FeatureUnion" and transformer.transformer_weights is not None:
        raise BertEmbedError("A FeatureUnion with `transformer_weights` cannot be saved.")
    return {
        "class": kind,
        "steps": [
            [name, describe_transformer(step, arrays, f"{prefix}.{place}")]
            for place, (name, step) in enumerate(steps)
        ],
    }


def make_transformer(description, arrays):
    """Make the transformer that `describe_transformer` put into plain values.

    Args:
        description: what JSON held.
        arrays: dict of the arrays.

    Returns:
        A fitted transformer.

    Raises:
        BertEmbedError: where the description is not of one.
    """
    if not isinstance(description, dict):
        raise BertEmbedError(f"A transformer was expected. Received: {description!r:.60}.")
    kind = str(description.get("class"))
    if kind in JOINED:
        return _make_joined(kind, description.get("steps"), arrays)
    settings, learned = description.get("settings"), description.get("learned")
    if kind not in OWN or not isinstance(settings, dict) or not isinstance(learned, dict):
        known = ", ".join([*OWN, *JOINED])
        raise BertEmbedError(
            f"One of {known}, with `settings` and `learned`, was expected. Received: {kind!r:.60}."
        )
    made_by = _own_class(kind)
    unknown = sorted({*settings} - ({*made_by._get_param_names()} - STAYS))
    if unknown:
        raise BertEmbedError(f"{kind} has no settings {unknown}. Was it saved by a later version?")
    missing = sorted({*LEARNED[kind]} - OPTIONAL - {*learned})
    if missing:
        raise BertEmbedError(f"{kind} learns {missing}, which are missing.")
    try:
        transformer = made_by(**settings)
    except TypeError as error:
        raise BertEmbedError(f"{kind} cannot be made: {error}.") from error
    for name, value in learned.items():
        if isinstance(value, dict) and {*value} == {ARRAY}:
            value = arrays.get(str(value[ARRAY]))
            if value is None:
                raise BertEmbedError(f"An array of {kind}, {name!r}, is missing.")
        _check_learned(kind, name, value)
        setattr(transformer, name, value)
    return transformer


def _make_joined(kind, steps, arrays):
    well_formed = isinstance(steps, list) and all(
        isinstance(step, list) and len(step) == 2 and isinstance(step[0], str) for step in steps
    )
    if not well_formed or not steps:
        raise BertEmbedError(f"{kind} needs `steps`, pairs of a name and a transformer.")
    return JOINED[kind]([(name, make_transformer(step, arrays)) for name, step in steps])


def _check_learned(kind, name, value):
    fits = name in LEARNED[kind] and isinstance(value, LEARNED[kind][name])
    if fits and isinstance(value, dict):
        fits = all(isinstance(weight, numbers.Real) for weight in value.values())
    if not fits:
        raise BertEmbedError(f"{kind} learns no {name!r} like this: {type(value).__name__}.")


def _own_class(kind):
    return getattr(importlib.import_module(f"tf_bertembed.probe.{OWN[kind]}"), kind)


def plain(value, of):
    """Make a value plain enough for JSON, or say which cannot be.

    Args:
        value: what is to be written.
        of: string. What it is, for the message.

    Returns:
        A value that JSON gives back as it is; a path becomes a string, a
        tuple or an array a list.

    Raises:
        BertEmbedError: where it is another.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, (np.generic, np.ndarray)):
        return plain(value.tolist(), of)
    if isinstance(value, numbers.Real) and np.isfinite(value):
        return int(value) if isinstance(value, numbers.Integral) else float(value)
    if isinstance(value, (list, tuple)):
        return [plain(one, of) for one in value]
    if isinstance(value, dict) and all(isinstance(name, str) for name in value):
        return {name: plain(one, of) for name, one in value.items()}
    raise BertEmbedError(
        f"A saved probe holds plain values only: numbers, strings, lists. {of} is a "
        f"{type(value).__name__}."
    )
