"""Does an exported model answer as the model in memory did?"""

import dataclasses

import numpy as np

from tf_bertembed.export.c_api import require_saved_model
from tf_bertembed.export.fresh_process import run
from tf_bertembed.export.records import read_record


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
        ok: bool. Whether the difference is within the tolerance; only equal
            values are where the output holds no floats.
        problem: string. Why the two cannot be compared; empty where they can.

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

    def __str__(self):
        found = self.problem or f"difference {self.difference:.1e}"
        return f"{self.output}  {self.dtype} {list(self.shape)}  {found}"


@dataclasses.dataclass(frozen=True)
class VerificationReport:
    """What `verify` found.

    Args:
        path: string. The folder of the SavedModel.
        tensorflow: string. The version of the C library that ran it.
        examples: int. The number of recorded examples.
        tolerance: float. The largest difference that passes.
        checks: tuple of `OutputCheck`. One per output.
        ops: tuple of strings. The ops that the graph and its functions hold.
        problems: tuple of strings. What is wrong besides the differences.

    Example:

    ```python
    from tf_bertembed.export import OutputCheck, VerificationReport

    check = OutputCheck("embed", "embedding", "float32", (8, 384), 2e-7, True)
    report = VerificationReport(
        path="saved_models/bbc/1",
        tensorflow="2.21.0",
        examples=8,
        tolerance=1e-5,
        checks=(check,),
        ops=("MatMul",),
        problems=(),
    )
    assert report.ok and report.difference == 2e-7
    print(report)
    ```
    """

    path: str
    tensorflow: str
    examples: int
    tolerance: float
    checks: tuple
    ops: tuple
    problems: tuple

    @property
    def ok(self):
        """bool. Whether every output agrees and there is no other problem."""
        return bool(self.checks) and not self.problems and all(c.ok for c in self.checks)

    @property
    def difference(self):
        """float. The largest difference of all outputs."""
        return max((check.difference for check in self.checks), default=0.0)

    def to_dict(self):
        """Give the report as what JSON can hold.

        Returns:
            A dict of the report's fields, with `ok` and `difference`.

        Example:

        ```python
        import json
        from tf_bertembed.export import OutputCheck, VerificationReport

        check = OutputCheck("embed", "embedding", "float32", (8, 384), 2e-7, True)
        report = VerificationReport("bbc/1", "2.21.0", 8, 1e-5, (check,), ("MatMul",), ())
        assert json.loads(json.dumps(report.to_dict()))["difference"] == 2e-7
        ```
        """
        return {"ok": self.ok, "difference": self.difference, **dataclasses.asdict(self)}

    def __str__(self):
        lines = [
            f"{self.path}: {'verified' if self.ok else 'NOT VERIFIED'} "
            f"({self.examples} examples, TensorFlow {self.tensorflow} through its C API, "
            f"tolerance {self.tolerance:g})"
        ]
        for signature in dict.fromkeys(check.signature for check in self.checks):
            lines.append(f"  {signature}")
            lines += [
                f"    {'ok    ' if check.ok else 'FAILED'}  {check}"
                for check in self.checks
                if check.signature == signature
            ]
        lines += [f"  problem: {problem}" for problem in self.problems]
        return "\n".join([*lines, f"  {len(self.ops)} ops: {', '.join(self.ops)}"])


def verify(path, *, tolerance=1e-5):
    """Check that an exported model answers as the model in memory did.

    A fresh process loads the model through TensorFlow's C API (the C++ loader
    that servers use) without importing any of TensorFlow's Python, feeds it
    the strings that the export recorded, and compares the answers. The graph
    is searched for what a stock TensorFlow Serving 2.19 lacks.

    Args:
        path: string or `pathlib.Path`. The folder of one version, for example
            `saved_models/bbc/1`.
        tolerance: float. The largest difference that passes, over the largest
            magnitude of the output.

    Returns:
        A `VerificationReport`; its `ok` says whether all is well.

    Raises:
        MissingFileError: where there is nothing at `path`, or no record of
            what the model answered.
        FileFormatError: where `path` is no SavedModel, or its record is
            damaged.
        BertEmbedError: where TensorFlow fails to run the model.

    Example:

    ```python
    from tf_bertembed import export

    try:
        export.verify("saved_models/bbc/1")
    except FileNotFoundError as error:
        assert "saved_models/bbc/1 does not exist" in str(error)
    ```
    """
    folder = require_saved_model(path)
    inputs, recorded, _ = read_record(folder)
    response = run(folder, inputs)
    checks, problems = [], list(response["problems"])
    for signature in sorted(response["signatures"].keys() - recorded.keys()):
        problems.append(f"The model has a signature {signature!r} that was not recorded.")
    for signature, arrays in recorded.items():
        answered = response["outputs"][signature]
        for name in sorted(answered.keys() - arrays.keys()):
            problems.append(f"{signature!r} has an output {name!r} that was not recorded.")
        for name, array in arrays.items():
            if name in answered:
                checks.append(compare(signature, name, array, answered[name], tolerance))
            else:
                problems.append(f"{signature!r} lacks the output {name!r} that was recorded.")
    return VerificationReport(
        path=str(path),
        tensorflow=response["tensorflow"],
        examples=len(next(iter(next(iter(inputs.values())).values()))),
        tolerance=tolerance,
        checks=tuple(checks),
        ops=tuple(response["ops"]),
        problems=tuple(problems),
    )


def compare(signature, output, recorded, answered, tolerance):
    """Compare one output with its record.

    Args:
        signature: string. The name of the signature.
        output: string. The name of the output.
        recorded: NumPy array. What the model in memory answered.
        answered: NumPy array. What the exported model answered.
        tolerance: float. The largest difference that passes.

    Returns:
        An `OutputCheck`.
    """
    kind = "string" if answered.dtype.kind == "U" else answered.dtype.name
    place = (signature, output, kind, answered.shape)
    if recorded.dtype.kind != answered.dtype.kind or recorded.shape != answered.shape:
        problem = f"recorded as {recorded.dtype.name} {list(recorded.shape)}"
        return OutputCheck(*place, float("inf"), False, problem)
    if not recorded.size:
        return OutputCheck(*place, 0.0, True)
    if recorded.dtype.kind != "f":
        share = float(np.mean(recorded != answered))
        return OutputCheck(*place, share, share == 0)
    recorded, answered = recorded.astype(np.float64), answered.astype(np.float64)
    gap, scale = np.max(np.abs(recorded - answered)), np.max(np.abs(recorded))
    difference = float(gap / scale) if scale else float(gap)
    # Not "not greater": a NaN must fail.
    return OutputCheck(*place, difference, difference <= tolerance)
