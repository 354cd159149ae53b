"""The rows of a matrix that lie nearest to queries: exactly, or by a graph of neighbours."""

import numpy as np

from tf_bertembed.common import FileFormatError, MissingPackageError

# About 64 MiB of rows in float32 are looked at together.
NUMBERS = 1 << 24
QUERIES = 64
# A graph with 32 neighbours a node, built and searched with care enough for a recall near 1.
NEIGHBOURS, BUILD_WIDTH, SEARCH_WIDTH = 32, 200, 128


def unit_rows(vectors):
    """Vectors brought to length 1, float32; those of zeros stay zeros."""
    vectors = np.asarray(vectors, "float32")
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def exact_neighbours(matrix, queries, top):
    """Find the rows of largest dot product, looking at a block of rows at a time.

    Args:
        matrix: array `[N, D]`, float32, memory-mapped or not.
        queries: array `[Q, D]`, float32.
        top: int. How many rows to find for each query.

    Returns:
        A pair of arrays `[Q, min(top, N)]`: products, largest first, and
        rows; of equal products the earlier row first.
    """
    height = max(1, NUMBERS // matrix.shape[1])
    scores, rows = [], []
    for begin in range(0, len(queries), QUERIES):
        part = queries[begin : begin + QUERIES]
        best = [(np.empty(0, "float32"), np.empty(0, "int64"))] * len(part)
        for first in range(0, len(matrix), height):
            products = part @ np.asarray(matrix[first : first + height]).T
            for place, found in enumerate(products):
                best[place] = _merge(best[place], found, first, top)
        scores += [found for found, _ in best]
        rows += [found for _, found in best]
    return np.stack(scores), np.stack(rows)


def _merge(best, products, first, top):
    kept = np.arange(len(products))
    if len(products) > top:
        # All that equal the last one are kept, so that the order of rows decides among them.
        kept = np.flatnonzero(products >= np.partition(products, -top)[-top])
    scores = np.concatenate([best[0], products[kept]])
    rows = np.concatenate([best[1], first + kept])
    order = np.argsort(-scores, kind="stable")[:top]
    return scores[order], rows[order]


def import_faiss():
    """The library that searches approximately, or an error that names its package."""
    try:
        import faiss
    except ImportError as error:
        raise MissingPackageError(["faiss-cpu"], "Approximate search") from error
    return faiss


def build_graph(matrix, path):
    """Write a graph of neighbours (HNSW) of the rows of a matrix.

    Args:
        matrix: array `[N, D]`, float32, memory-mapped or not.
        path: `pathlib.Path`. The file to write.

    References:
        Malkov and Yashunin, 2016, https://arxiv.org/abs/1603.09320
    """
    faiss = import_faiss()
    width = matrix.shape[1]
    graph = faiss.IndexHNSWFlat(width, NEIGHBOURS, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction = BUILD_WIDTH
    height = max(1, NUMBERS // width)
    for first in range(0, len(matrix), height):
        graph.add(np.ascontiguousarray(matrix[first : first + height]))
    faiss.write_index(graph, str(path))


def read_graph(path, rows, width):
    """Read what `build_graph` wrote, for a matrix of so many rows and columns."""
    faiss = import_faiss()
    try:
        graph = faiss.read_index(str(path))
    except RuntimeError as error:
        reason = str(error).splitlines()[-1]
        raise FileFormatError(path, f"faiss cannot read its index: {reason}") from error
    if (graph.ntotal, graph.d) != (rows, width):
        raise FileFormatError(
            path,
            f"An index of {rows} vectors of {width} numbers was expected. Received: "
            f"{graph.ntotal} of {graph.d}.",
        )
    return graph


def graph_neighbours(graph, matrix, queries, top):
    """Find rows as `exact_neighbours` does, by a graph: faster, and some may be missed."""
    top = min(top, len(matrix))
    graph.hnsw.efSearch = max(SEARCH_WIDTH, 2 * top)
    _, found = graph.search(np.ascontiguousarray(queries), top)
    scores, rows = [], []
    for query, places in zip(queries, found, strict=True):
        # -1 stands for a row that was not found.
        places = np.sort(places[places >= 0])
        products = matrix[places] @ query
        order = np.argsort(-products, kind="stable")
        scores.append(products[order])
        rows.append(places[order])
    return scores, rows


def graph_recall(graph, matrix, top=10, samples=100):
    """The share of the exact neighbours that a graph finds, of some rows spread over a matrix."""
    places = np.unique(np.linspace(0, len(matrix) - 1, samples).astype("int64"))
    queries = np.asarray(matrix[places])
    _, exact = exact_neighbours(matrix, queries, top)
    _, found = graph_neighbours(graph, matrix, queries, top)
    shares = [np.isin(one, other).mean() for one, other in zip(exact, found, strict=True)]
    return float(np.mean(shares))
