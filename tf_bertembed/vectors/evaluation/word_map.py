"""Words as a picture: their vectors in two dimensions."""

from pathlib import Path

import numpy as np

from tf_bertembed import common
from tf_bertembed.vectors.checks import check_keyed_vectors
from tf_bertembed.vectors.evaluation import map_labels
from tf_bertembed.vectors.files.request import warn
from tf_bertembed.vectors.keyed_vectors import has_ngrams

METHODS = ("pca", "tsne")
FORMATS = (".png", ".svg", ".pdf")
FEWEST = 3
EXACT = 200


def plot_map(keyed_vectors, words, path, *, method="pca", font=None, seed=0, overwrite=False):
    """Draw words as points in the plane, near each other where their vectors are.

    Vectors are brought to length 1 first, so that directions are compared, as
    by cosine. Words that have no vector, or one of zeros, are left out and
    told. Where no font at hand has the glyphs of a word, its number among the
    points is drawn instead, with a warning.

    Args:
        keyed_vectors: gensim `KeyedVectors`. The word vectors.
        words: iterable of strings, or int. The words to draw; an int for so
            many of the first.
        path: string or `pathlib.Path`. The picture to write, `.png` (also
            `.svg` or `.pdf`).
        method: string. `"pca"` for the two directions of most variance, or
            `"tsne"` for t-SNE, which keeps neighbours together.
        font: string or `pathlib.Path`. A font file for glyphs that the
            default font lacks; `None` to search the installed fonts.
        seed: int. Makes t-SNE the same each time.
        overwrite: bool. Whether to replace what stands at `path`.

    Returns:
        A dict: `output`, `method`, `points` (a list of dicts of `word`, `x`,
        `y` and `label`, what the picture shows), `explained` (the share of
        the variance that two directions hold, `None` for t-SNE), `unknown`
        and `zero_vectors` (lists of the words left out).

    Raises:
        OutputExistsError: where something stands at `path`.
        MissingFileError: where the font file is missing.
        BertEmbedError: where fewer than three words are left, their vectors
            are all the same, or an argument makes no sense.

    Example:

    ```python
    from tf_bertembed import vectors

    glove = vectors.load("glove-6b-50d", limit=3000)
    report = vectors.plot_map(glove, ["king", "queen", "man", "woman"], "map.png")
    assert [point["label"] for point in report["points"]][:2] == ["king", "queen"]
    ```

    References:
        - [van der Maaten and Hinton, 2008](https://jmlr.org/papers/v9/vandermaaten08a.html)
          (t-SNE)
    """
    if method not in METHODS:
        raise common.BertEmbedError(
            f"`method` must be one of {', '.join(map(repr, METHODS))}. Received: {method!r}."
        )
    if Path(path).suffix.lower() not in FORMATS:
        raise common.BertEmbedError(
            f"A map is written as {', '.join(FORMATS)}. Received: {str(path)!r}."
        )
    check_keyed_vectors(keyed_vectors, words=[])
    words, unknown = _choose(keyed_vectors, words)
    check_keyed_vectors(keyed_vectors, [w for w in words if w in keyed_vectors.key_to_index])
    found = {word: np.asarray(keyed_vectors[word], np.float64) for word in words}
    zeros = [word for word, vector in found.items() if not vector.any()]
    words = [word for word in words if word not in zeros]
    if len(words) < FEWEST:
        raise common.BertEmbedError(
            f"A map needs {FEWEST} words at least. Received: {len(words)} with a vector that is "
            f"not zeros, {len(unknown)} unknown{_some(unknown)}, {len(zeros)} of zeros."
        )
    with common.atomic_path(path, overwrite) as place:
        matrix = np.stack([found[word] / np.linalg.norm(found[word]) for word in words])
        points, explained = _project(matrix, method, seed)
        labels, fonts = map_labels.choose(words, font)
        numbered = [word for word, label in zip(words, labels, strict=True) if word != label]
        if numbered:
            warn(
                f"No font at hand has the glyphs of {len(numbered)} words{_some(numbered)}; their "
                "numbers stand on the map. Install a font (Noto Sans CJK for Chinese) or name "
                "a font file."
            )
        _draw(points, labels, fonts, method, explained, place)
    rows = zip(words, labels, points.tolist(), strict=True)
    return {
        "output": str(path),
        "method": method,
        "explained": explained,
        "points": [{"word": w, "label": label, "x": x, "y": y} for w, label, (x, y) in rows],
        "unknown": unknown,
        "zero_vectors": zeros,
    }


def _choose(keyed_vectors, words):
    if isinstance(words, str) or not (isinstance(words, int) or hasattr(words, "__iter__")):
        raise common.BertEmbedError(
            f"`words` must be a list of strings or an int. Received: {words!r}."
        )
    if isinstance(words, int):
        words = keyed_vectors.index_to_key[: max(words, 0)]
    words = list(dict.fromkeys(words))
    if has_ngrams(keyed_vectors):
        return words, []
    known = keyed_vectors.key_to_index
    return [w for w in words if w in known], [w for w in words if w not in known]


def _some(words):
    return f" ({', '.join(words[:3])}{', …' if len(words) > 3 else ''})" if words else ""


def _project(matrix, method, seed):
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    if not np.ptp(matrix, axis=0).any():
        raise common.BertEmbedError(
            f"The vectors of all {len(matrix)} words point the same way: there is nothing to map."
        )
    if matrix.shape[1] < 2:
        matrix = np.pad(matrix, ((0, 0), (0, 1)))
    if method == "tsne":
        tsne = TSNE(
            # Its default where there are words enough: it must be below their number.
            perplexity=min(30, (len(matrix) - 1) / 3),
            init="pca",
            # Few points are soon done; threads that wait for each other take ten times as long.
            method="exact" if len(matrix) <= EXACT else "barnes_hut",
            random_state=common.derive_seed(seed, "vectors.plot_map"),
        )
        return tsne.fit_transform(matrix).astype(np.float64), None
    pca = PCA(2, svd_solver="full")
    points = pca.fit_transform(matrix)
    return points, float(pca.explained_variance_ratio_.sum())


def _draw(points, labels, fonts, method, explained, path):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    side = float(np.clip(2 + 0.8 * np.sqrt(len(labels)), 6, 24))
    figure = Figure(figsize=(side, side), layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    axis.scatter(*points.T, s=12)
    axis.margins(0.1)
    axis.grid(alpha=0.3)
    title = {"pca": "PCA", "tsne": "t-SNE"}[method]
    share = "" if explained is None else f", {explained:.0%} of the variance"
    axis.set(title=f"{len(labels)} words, {title} of their directions{share}")
    map_labels.place(axis, points, labels, fonts)
    figure.savefig(path, dpi=120)
