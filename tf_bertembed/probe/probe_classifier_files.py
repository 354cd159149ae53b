"""A fitted probe as JSON and NumPy arrays: nothing in them can be executed."""

import json
import zipfile
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from tf_bertembed.common import (
    BertEmbedError,
    FileFormatError,
    atomic_path,
    read_json,
    require_file,
)
from tf_bertembed.probe.probe_classifier_features import (
    describe_transformer,
    make_transformer,
    plain,
)

DESCRIPTION, ARRAYS = "probe.json", "arrays.npz"
FORMAT = "tf_bertembed probe 2"
PURPOSE = "A saved probe is a folder that `ProbeClassifier.save` wrote."
KEYS = {
    *("C", "class_weight", "classes", "feature_names_in", "features", "n_features_in", "n_iter"),
    "settings",
}
FLOATS = ("float32", "float64")
# The kinds of NumPy arrays that classes come in, and what JSON holds of each.
CLASSES = {"U": str, "O": str, "b": bool, "i": int, "u": int, "f": float}


def save_probe(probe, folder, overwrite):
    """Write a fitted `ProbeClassifier`, as its `save` says."""
    arrays = {"coef": probe.logistic_.coef_, "intercept": probe.logistic_.intercept_}
    if probe.scaler_ is not None:
        arrays["scale"] = probe.scaler_.scale_
        if probe.scaler_.with_mean:
            arrays["mean"] = probe.scaler_.mean_
    if probe.scores_ is not None:
        arrays["scores"] = probe.scores_
    arrays["candidates"] = probe.candidates_
    features = probe.features_
    description = {
        "format": FORMAT,
        "settings": _settings(probe),
        "class_weight": _weights(probe.class_weight),
        "classes": _classes(probe.classes_),
        "C": probe.C_,
        "n_iter": probe.n_iter_.tolist(),
        "n_features_in": getattr(probe, "n_features_in_", None),
        "features": None if features is None else describe_transformer(features, arrays),
    }
    names = getattr(probe, "feature_names_in_", None)
    description["feature_names_in"] = None if names is None else names.tolist()
    with atomic_path(folder, overwrite) as place:
        place.mkdir()
        written = json.dumps(description, indent=2, ensure_ascii=False)
        (place / DESCRIPTION).write_text(written, encoding="utf-8")
        np.savez(place / ARRAYS, allow_pickle=False, **arrays)


def load_probe(made_by, folder):
    """Read what `save_probe` wrote, as `ProbeClassifier.load` says."""
    folder = Path(folder)
    path = folder / DESCRIPTION
    description = read_json(path, PURPOSE)
    if description.get("format") != FORMAT:
        raise FileFormatError(
            path,
            f"The format {FORMAT!r} was expected. Received: {description.get('format')!r:.60}.",
        )
    arrays = _read_arrays(folder / ARRAYS)
    try:
        return _made(made_by, description, arrays)
    except FileFormatError:
        raise
    except BertEmbedError as error:
        raise FileFormatError(path, str(error)) from error
    except RecursionError as error:
        raise FileFormatError(path, "The features are nested too deeply.") from error


def _settings(probe):
    settings = {
        name: value
        for name, value in probe.get_params(deep=False).items()
        if name not in ("features", "class_weight")
    }
    return {name: plain(value, f"`{name}`") for name, value in settings.items()}


def _weights(weights):
    # The names in a JSON object are strings; classes may be none.
    if not isinstance(weights, dict):
        return plain(weights, "`class_weight`")
    return [[plain(of, "a class"), plain(weight, "a weight")] for of, weight in weights.items()]


def _classes(classes):
    expected = CLASSES.get(classes.dtype.kind)
    values = classes.tolist()
    odd = [value for value in values if type(value) is not expected]
    if odd:
        raise BertEmbedError(
            "A saved probe's classes are all strings, all ints or all bools. Received: "
            f"{odd[0]!r} ({type(odd[0]).__name__})."
        )
    return {"dtype": classes.dtype.str, "values": values}


def _read_arrays(path):
    require_file(path, PURPOSE)
    try:
        with zipfile.ZipFile(path) as archive:
            # What is not compressed cannot be larger than the file.
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                raise FileFormatError(path, "Arrays that are not compressed were expected.")
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, OSError, EOFError, KeyError, MemoryError, zipfile.BadZipFile) as error:
        if isinstance(error, FileFormatError):
            raise
        raise FileFormatError(path, f"The arrays are broken: {error}.") from error
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise FileFormatError(path, f"{name!r} is no array.")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise FileFormatError(path, f"{name!r} holds numbers that are not finite.")
    return arrays


def _made(made_by, description, arrays):
    missing = sorted(KEYS - {*description})
    if missing:
        raise BertEmbedError(f"The keys {missing} are missing.")
    settings = description["settings"]
    known = {*made_by._get_param_names()} - {"features", "class_weight"}
    if not isinstance(settings, dict) or {*settings} != known:
        raise BertEmbedError(f"`settings` must hold {sorted(known)}. Received: {settings!r:.200}.")
    transformer = description.get("features")
    if transformer is not None:
        transformer = make_transformer(transformer, arrays)
    weights = description.get("class_weight")
    if isinstance(weights, list):
        try:
            weights = dict(weights)
        except (TypeError, ValueError) as error:
            raise BertEmbedError(
                "`class_weight` must hold pairs of a class and a weight."
            ) from error
    probe = made_by(features=transformer, class_weight=weights, **settings)
    probe.features_ = transformer
    probe.classes_ = _read_classes(description.get("classes"))
    probe.C_, width = description.get("C"), description.get("n_features_in")
    if not isinstance(probe.C_, float) or probe.C_ <= 0:
        raise BertEmbedError(f"`C` must be a number above 0. Received: {probe.C_!r:.60}.")
    if width is not None:
        probe.n_features_in_ = width
    if description.get("feature_names_in") is not None:
        names = _list_of(str, description, "feature_names_in")
        probe.feature_names_in_ = np.array(names, dtype=object)
    probe.candidates_, probe.scores_ = arrays.get("candidates"), arrays.get("scores")
    probe.n_iter_ = np.array(_list_of(int, description, "n_iter"))
    probe.logistic_ = _regression(probe, arrays)
    width = probe.logistic_.n_features_in_
    probe.scaler_ = _scaler(arrays, width) if probe.scale else None
    if getattr(probe, "n_features_in_", width) != width:
        raise BertEmbedError(f"`n_features_in` must be {width}. Received: {probe.n_features_in_}.")
    return probe


def _list_of(kind, description, name):
    values = description.get(name)
    if not isinstance(values, list) or any(type(value) is not kind for value in values):
        raise BertEmbedError(f"`{name}` must be a list of {kind.__name__}. Received: {values!r}.")
    return values


def _read_classes(classes):
    try:
        values, dtype = classes["values"], np.dtype(classes["dtype"])
        expected = CLASSES[dtype.kind]
        if all(type(value) is expected for value in values) and len(values) >= 2:
            found = np.array(values, dtype)
            if found.tolist() == values:
                return found
    except (KeyError, TypeError, ValueError, OverflowError):
        pass
    raise BertEmbedError(
        f"`classes` must hold a `dtype` and 2 `values` or more of it. Received: {classes!r:.100}."
    )


def _regression(probe, arrays):
    rows = 1 if len(probe.classes_) == 2 else len(probe.classes_)
    coef = _array(arrays, "coef", (rows, None))
    regression = LogisticRegression(
        C=probe.C_, class_weight=probe.class_weight, max_iter=probe.max_iter
    )
    regression.classes_ = probe.classes_
    regression.coef_ = coef
    regression.intercept_ = _array(arrays, "intercept", (rows,))
    regression.n_iter_ = probe.n_iter_
    regression.n_features_in_ = coef.shape[1]
    return regression


def _scaler(arrays, width):
    scaler = StandardScaler(with_mean="mean" in arrays)
    scaler.scale_ = _array(arrays, "scale", (width,))
    if (scaler.scale_ == 0).any():
        raise BertEmbedError("The array 'scale' must not hold 0.")
    scaler.var_ = scaler.scale_**2
    scaler.mean_ = _array(arrays, "mean", (width,)) if scaler.with_mean else np.zeros(width)
    scaler.n_features_in_ = width
    return scaler


def _array(arrays, name, shape):
    array = arrays.get(name)
    if (
        array is None
        or array.dtype not in FLOATS
        or array.ndim != len(shape)
        or any(wanted not in (None, got) for wanted, got in zip(shape, array.shape, strict=True))
    ):
        got = "nothing" if array is None else f"{array.dtype} of {array.shape}"
        wanted = tuple("F" if size is None else size for size in shape)
        raise BertEmbedError(f"The array {name!r} must be floats of {wanted}. Received: {got}.")
    return array
