"""Windows of rows put on disk, each in whole or not at all."""

import concurrent.futures
import json

from tf_bertembed.common import BertEmbedError
from tf_bertembed.probe.file_embedding.outputs import FAILED
from tf_bertembed.probe.file_embedding.tables import IDS
from tf_bertembed.probe.file_embedding.vectors import VECTORS, begin_vectors

LONGEST_REASON = 200


class WindowWriter:
    """Puts windows on disk while the next one is encoded, and counts their rows.

    A context manager: the files are open within, and at its end all is on
    disk that was given.

    Args:
        work: an `UnfinishedFile`.
        job: dict that JSON can hold. What tells this work from another.
        max_failures: int. The most rows that may fail; `None` for any number.
        input_path: `pathlib.Path`. Where the rows come from.
    """

    def __init__(self, work, job, max_failures, input_path):
        self._work = work
        self._max_failures = max_failures
        self._input_path = input_path
        self._state = work.state or {
            "job": job,
            "id_column": job["id column"],
            "rows": 0,
            "failed": 0,
            "empty": 0,
            "number_ids": True,
            "dimensions": None,
            "complete": False,
        }
        self._pending = None

    @property
    def rows(self):
        """The rows that were given up to now, by earlier processes too."""
        return self._state["rows"]

    def __enter__(self):
        names = [VECTORS, FAILED] + [IDS] * (self._state["id_column"] is not None)
        self._files = {name: self._work.open(name) for name in names}
        self._pool = concurrent.futures.ThreadPoolExecutor(1)
        return self

    def __exit__(self, kind, error, traceback):
        try:
            self._pool.shutdown()
            if kind is None:
                self._wait()
        finally:
            for file in self._files.values():
                file.close()

    def write(self, window, vectors):
        """Have a window put on disk, once the one before it is there.

        Args:
            window: list of `Row`.
            vectors: array `[rows, D]`, float32.

        Raises:
            BertEmbedError: where too many rows failed.
        """
        state = dict(self._state)
        failures = [(row, one) for row, one in enumerate(window, self.rows) if one.problem]
        state["rows"] += len(window)
        state["failed"] += len(failures)
        state["empty"] += sum(row.text == "" for row in window)
        state["number_ids"] &= not any(isinstance(row.id, str) for row in window)
        state["dimensions"] = vectors.shape[1]
        self._wait()
        if self._max_failures is not None and state["failed"] > self._max_failures:
            raise BertEmbedError(
                f"Rows of {self._input_path} that failed: {state['failed']}; at most "
                f"{self._max_failures} may (--max-failures).{_last(failures)}"
            )
        self._state = state
        self._pending = self._pool.submit(self._put, window, vectors, failures, state)

    def _put(self, window, vectors, failures, state):
        file = self._files[VECTORS]
        if file.tell() == 0:
            begin_vectors(file, vectors.shape[1])
        file.write(memoryview(vectors).cast("B"))
        self._files[FAILED].writelines(_line(_about(*failure)) for failure in failures)
        if IDS in self._files:
            self._files[IDS].writelines(_line(row.id) for row in window)
        self._work.commit(state, self._files)

    def _wait(self):
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()


def _about(row, one):
    reason = one.problem
    if len(reason) > LONGEST_REASON:
        reason = f"{reason[: LONGEST_REASON - 3]}..."
    return {"row": row, "line": one.line, "id": one.id, "reason": reason}


def _last(failures):
    if not failures:
        return ""
    row, one = failures[-1]
    at = f"row {row}" if one.line is None else f"row {row}, line {one.line}"
    return f" The last of them, {at}: {one.problem}"


def _line(value):
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"
