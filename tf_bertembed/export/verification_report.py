"""What `verify` found, to be read by people and by programs."""

import dataclasses
import math

from tf_bertembed.export.servability import SERVERS


@dataclasses.dataclass(frozen=True)
class WarmUp:
    """How a model answered its warm-up requests.

    Args:
        requests: int. How many were answered.
        seconds: float. How long all of them took.
        slowest_seconds: float. How long the slowest took.
        slowest: string. Which one that was.

    Example:

    ```python
    from tf_bertembed.export import WarmUp

    warm_up = WarmUp(12, 0.5, 0.2, "request 3, 32 to 'embed'")
    assert str(warm_up).startswith("12 requests in 0.50 s, the slowest 0.20 s (request 3")
    ```
    """

    requests: int
    seconds: float
    slowest_seconds: float
    slowest: str

    def __str__(self):
        if not self.requests:
            return "no request was answered"
        return (
            f"{self.requests} requests in {self.seconds:.2f} s, "
            f"the slowest {self.slowest_seconds:.2f} s ({self.slowest})"
        )


@dataclasses.dataclass(frozen=True)
class VerificationReport:
    """What `verify` found.

    Args:
        path: string. The folder of the SavedModel.
        tensorflow: string. The version of the C library that ran it; `None`
            where the model was not loaded.
        examples: int. The number of recorded examples.
        tolerance: float. The largest difference that passes.
        checks: tuple of `OutputCheck`. One per output.
        ops: tuple of strings. The ops that the graph and its functions hold.
        problems: tuple of strings. What is wrong besides the differences.
        notes: tuple of strings. What was not done or works less well, and
            keeps no server from taking the model.
        signatures: dict. Per signature its `method`, `inputs` and `outputs`,
            these with `dtype` and `shape`, `None` being a size that a request
            decides.
        warm_up: `WarmUp`. How the model answered its warm-up requests; `None`
            where it has none.
        load_seconds: float. How long the C++ loader took.
        library_memory: int. What the process held before it loaded the
            model, TensorFlow's libraries, in bytes; `None` where the system
            does not tell.
        loaded_memory: int. What it held when the model was loaded, likewise.
        peak_memory: int. What it held at most, likewise.
        size: int. Bytes on disk.

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
    assert str(report).endswith("ready")
    ```
    """

    path: str
    tensorflow: str | None
    examples: int
    tolerance: float
    checks: tuple
    ops: tuple
    problems: tuple
    notes: tuple = ()
    signatures: dict = dataclasses.field(default_factory=dict)
    warm_up: WarmUp | None = None
    load_seconds: float | None = None
    library_memory: int | None = None
    loaded_memory: int | None = None
    peak_memory: int | None = None
    size: int | None = None

    @property
    def ok(self):
        """bool. Whether every output agrees and there is no other problem."""
        return not self.reasons

    @property
    def difference(self):
        """float. The largest difference of all outputs."""
        return max((check.difference for check in self.checks), default=0.0)

    @property
    def reasons(self):
        """tuple of strings. Why the model is not ready; empty where it is."""
        failed = [
            f"{check.signature!r} answers otherwise than it should: {check}"
            for check in self.checks
            if not check.ok
        ]
        nothing = (
            []
            if self.checks or self.problems
            else ["No signature could be compared with a record."]
        )
        return (*self.problems, *failed, *nothing)

    @property
    def verdict(self):
        """string. `"ready"` or `"not ready"`."""
        return "ready" if self.ok else "not ready"

    def to_dict(self):
        """Give the report as what JSON can hold.

        Returns:
            A dict of the report's fields, with `ok`, `verdict`, `reasons` and
            `difference`; a difference that is no number is `None`.

        Example:

        ```python
        import json
        from tf_bertembed.export import OutputCheck, VerificationReport

        check = OutputCheck("embed", "embedding", "float32", (8, 384), 2e-7, True)
        report = VerificationReport("bbc/1", "2.21.0", 8, 1e-5, (check,), ("MatMul",), ())
        told = json.loads(json.dumps(report.to_dict()))
        assert told["difference"] == 2e-7 and told["verdict"] == "ready"
        ```
        """
        summary = {
            "ok": self.ok,
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "difference": self.difference,
        }
        return _finite({**summary, **dataclasses.asdict(self)})

    def __str__(self):
        by = f"TensorFlow {self.tensorflow} through its C API" if self.tensorflow else "not loaded"
        lines = [f"{self.path} ({self.examples} examples, {by}, tolerance {self.tolerance:g})"]
        for signature in dict.fromkeys([*self.signatures, *(c.signature for c in self.checks)]):
            lines.append(f"  {signature}{self._asked(signature)}")
            lines += [
                f"    {'ok    ' if check.ok else 'FAILED'}  {check}"
                for check in self.checks
                if check.signature == signature
            ]
        if self.warm_up:
            lines.append(f"  warm-up: {self.warm_up}")
        if self.load_seconds is not None:
            lines.append(f"  {self._cost()}")
        if self.ops:
            servers = " and ".join(SERVERS)
            lines.append(
                f"  {len(self.ops)} ops, held to those of TensorFlow Serving {servers}: "
                f"{', '.join(self.ops)}"
            )
        lines += [f"  note: {note}" for note in self.notes]
        lines += [f"  problem: {reason}" for reason in self.reasons]
        return "\n".join([*lines, self.verdict])

    def _asked(self, signature):
        inputs = self.signatures.get(signature, {}).get("inputs", {})
        names = ", ".join(f"{name}: {fact['dtype']}" for name, fact in inputs.items())
        return f"({names})" if names else ""

    def _cost(self):
        parts = [f"loaded in {self.load_seconds:.2f} s"]
        for what, count in (
            ("of memory before", self.library_memory),
            ("then", self.loaded_memory),
            ("at most", self.peak_memory),
            ("on disk", self.size),
        ):
            if count is not None:
                parts.append(f"{count / 1e6:.1f} MB {what}")
        return ", ".join(parts)


def _finite(value):
    """A copy with `None` in place of numbers that JSON lacks."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
