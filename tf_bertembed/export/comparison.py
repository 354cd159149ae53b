"""Are two answers of a model the same?"""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class OutputCheck:
    """One output of one signature, compared with its record.

    Args:
        signature: string. The name of the signature.
        output: string. The name of the output.
        dtype: string. `"string"` or a NumPy type, as exported.
        shape: tuple of ints. The shape for the recorded examples.
        difference: float. For floats the largest difference over the largest
            magnitude; for all else the share of values that differ.
        ok: bool. Whether both differences are within the tolerance; only equal
            values are where the output holds no floats.
        problem: string. Why the two cannot be compared; empty where they can.
        alone: float. The difference, measured likewise, between the answers to
            all examples at once and to each one alone; `None` where that was
            not asked.

    Example:

    ```python
    from tf_bertembed.export import OutputCheck

    check = OutputCheck("embed", "embedding", "float32", (8, 384), 2e-7, True)
    assert str(check) == "embedding  float32 [8, 384]  difference 2.0e-07"
    ```
    """

    signature: str
    output: str
    dtype: str
    shape: tuple
    difference: float
    ok: bool
    problem: str = ""
    alone: float | None = None

    def __str__(self):
        found = self.problem or f"difference {self.difference:.1e}"
        alone = "" if self.alone is None or self.problem else f", alone {self.alone:.1e}"
        return f"{self.output}  {self.dtype} {list(self.shape)}  {found}{alone}"


def difference(expected, answered):
    """Measure how far two arrays of one shape are apart.

    Args:
        expected: NumPy array.
        answered: NumPy array of the same kind and shape.

    Returns:
        A float: for floats the largest difference over the largest magnitude
        of `expected`, NaN where one of them is; for all else the share of
        values that differ.
    """
    if not expected.size:
        return 0.0
    if expected.dtype.kind != "f":
        return float(np.mean(expected != answered))
    expected, answered = expected.astype(np.float64), answered.astype(np.float64)
    gap, scale = np.max(np.abs(expected - answered)), np.max(np.abs(expected))
    return float(gap / scale) if scale else float(gap)


def agrees(value, floats, tolerance):
    """Whether a difference passes.

    Args:
        value: float. As `difference` gives it.
        floats: bool. Whether the arrays held floats; all else must be equal.
        tolerance: float. The largest difference of floats that passes.

    Returns:
        A bool.
    """
    # Not "not greater": a NaN must fail.
    return value <= (tolerance if floats else 0)


def compare(signature, output, recorded, answered, tolerance, alone=None):
    """Compare one output with its record.

    Args:
        signature: string. The name of the signature.
        output: string. The name of the output.
        recorded: NumPy array. What the model in memory answered.
        answered: NumPy array. What the exported model answered.
        tolerance: float. The largest difference that passes.
        alone: float. As `OutputCheck` has it.

    Returns:
        An `OutputCheck`.
    """
    kind = "string" if answered.dtype.kind == "U" else answered.dtype.name
    place = (signature, output, kind, answered.shape)
    if recorded.dtype.kind != answered.dtype.kind or recorded.shape != answered.shape:
        problem = f"recorded as {recorded.dtype.name} {list(recorded.shape)}"
        return OutputCheck(*place, float("inf"), False, problem, alone)
    value, floats = difference(recorded, answered), recorded.dtype.kind == "f"
    ok = agrees(value, floats, tolerance)
    if alone is not None:
        ok = ok and agrees(alone, floats, tolerance)
    return OutputCheck(*place, value, ok, "", alone)


def alone_difference(batched, singles):
    """Compare the rows of a batch with what each text is answered alone.

    A dimension after the first may be as long as the longest text of a batch:
    what one text has less of is left out of its row.

    Args:
        batched: NumPy array `[B, ...]`.
        singles: list of B NumPy arrays `[1, ...]`.

    Returns:
        A float, as `difference` measures it; infinite where the answer to one
        text does not fit into its row.
    """
    rows, alone = [], []
    for index, single in enumerate(singles):
        row = batched[index : index + 1]
        fits = single.ndim == row.ndim and len(single) == 1
        if not fits or any(s > r for s, r in zip(single.shape, row.shape, strict=True)):
            return float("inf")
        rows.append(row[tuple(slice(size) for size in single.shape)].ravel())
        alone.append(single.ravel())
    return difference(np.concatenate(rows), np.concatenate(alone))
