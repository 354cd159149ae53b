"""Requests that wait for a batch, cut into rows."""

import concurrent.futures
import math
import threading
import time

import numpy as np

from tf_bertembed.serving.errors import ServingError

# A batch of texts costs what its longest one does for each row. As in bulk
# embedding (`models.text_encoder`), a thousand pieces are enough for full speed,
# and fewer than a quarter of that are not worth sharing between cores. A piece of
# English text is about four bytes long.
MOST_BYTES = 4 * 1024
FEWEST_BYTES = MOST_BYTES // 4
# What a batch costs besides its rows.
EACH_BATCH = 64
# Longer texts are cut off by most models, but only after they were cut into pieces.
LONGEST = 2048
PER_BYTE_CUT_OFF = 1 / 64
# How many of the waiting rows are sorted by length at a time.
WINDOW = 512
# How many to each side of the oldest one are looked at for its batch.
NEAR = 64


class Request:
    """A request that waits, and the answers to its rows as they come.

    Args:
        inputs: dict from names to arrays.
        count: int. Its rows; `None` where it is run as a whole.

    Attributes:
        inputs: dict. As given.
        future: `concurrent.futures.Future` of a dict of arrays.
        cancelled: bool. Whether nobody waits for it any more.
    """

    def __init__(self, inputs, count):
        self.inputs = inputs
        self.future = concurrent.futures.Future()
        self.cancelled = False
        self._count = count
        self._left = count
        self._outputs = None
        self._lock = threading.Lock()

    def rows(self):
        """The rows to answer; one for all where it is run as a whole."""
        since = time.monotonic()
        if self._count is None:
            return [_Row(self, 0, 0, since)]
        lengths = np.zeros(self._count, "int64")
        for texts in self.inputs.values():
            lengths += [len(text) for text in texts]
        return [
            _Row(self, index, _cost(int(length)), since) for index, length in enumerate(lengths)
        ]

    def over(self):
        """Whether nothing is to be answered any more."""
        return self.cancelled or self.future.done()

    def put(self, index, answers, place, batch):
        """Take one row of a batch's answers."""
        with self._lock:
            if self.over():
                return
            if self._outputs is None:
                if any(answer.shape[:1] != (batch,) for answer in answers.values()):
                    self.future.set_exception(_wrong_rows(answers, batch))
                    return
                self._outputs = {
                    name: np.empty((self._count, *answer.shape[1:]), answer.dtype)
                    for name, answer in answers.items()
                }
            for name, answer in answers.items():
                self._outputs[name][index] = answer[place]
            self._left -= 1
            if not self._left:
                self.future.set_result(self._outputs)

    def done(self, outputs):
        """Answer it as a whole."""
        with self._lock:
            if not self.future.done():
                self.future.set_result(outputs)

    def fail(self, error):
        """Answer it with an error."""
        with self._lock:
            if not self.future.done():
                self.future.set_exception(error)


class _Row:
    __slots__ = ("cost", "index", "request", "since")

    def __init__(self, request, index, cost, since):
        self.request, self.index, self.cost, self.since = request, index, cost, since


class Queue:
    """The rows that wait for one signature of one version.

    Args:
        model: `LoadedModel`.
        signature: string.
        wanted: tuple of strings, the outputs; `None` for all.
        together: bool. Whether rows are put together, or requests run alone.
    """

    def __init__(self, model, signature, wanted, together):
        self.model, self.signature, self.wanted = model, signature, wanted
        self.together = together
        self.rows = []

    def compute(self, inputs):
        """Run the graph."""
        return self.model.compute(self.signature, inputs, self.wanted)

    def cost(self):
        """What the rows that wait cost together, in bytes."""
        return sum(row.cost for row in self.rows)

    def take(self, most, idle):
        """Take the oldest row and those about as long, as far as one batch goes."""
        if not self.together:
            return [self.rows.pop(0)]
        oldest, window = self.rows[0], self.rows[:WINDOW]
        window.sort(key=lambda row: row.cost, reverse=True)
        share = -(-sum(row.cost for row in window) // max(1, idle))
        budget = min(MOST_BYTES, max(FEWEST_BYTES, share))
        # Whose batch depends little on rows of quite another length.
        place = window.index(oldest)
        near = window[max(0, place - NEAR) : place + NEAR]
        batch = next(batch for batch in _cut(near, most, budget) if oldest in batch)
        taken = {id(row) for row in batch}
        self.rows = [row for row in self.rows if id(row) not in taken]
        return batch


def _cost(length):
    return 1 + min(length, LONGEST) + int(max(0, length - LONGEST) * PER_BYTE_CUT_OFF)


def _cut(rows, most, budget):
    """Cut rows, the longest first, into the batches that cost least together.

    Each costs its rows times the longest of them, within a budget, and
    `EACH_BATCH`.
    """
    cheapest, begins = [0] + [math.inf] * len(rows), [0] * (len(rows) + 1)
    for begin, row in enumerate(rows):
        for end in range(begin + 1, min(len(rows), begin + most) + 1):
            padded = (end - begin) * row.cost
            if padded > budget and end > begin + 1:
                break
            cost = cheapest[begin] + padded + EACH_BATCH
            if cost < cheapest[end]:
                cheapest[end], begins[end] = cost, begin
    end = len(rows)
    while end:
        yield rows[begins[end] : end]
        end = begins[end]


def count_rows(inputs):
    """Count the rows of a request; all inputs must have as many."""
    counts = {len(array) for array in inputs.values()}
    if len(counts) != 1:
        raise ServingError(
            "INVALID_ARGUMENT",
            "Batching session Run() input tensors must have equal 0th-dimension size",
        )
    return counts.pop()


def gather(rows):
    """Put the inputs of rows together."""
    names = rows[0].request.inputs
    inputs = {name: np.empty(len(rows), object) for name in names}
    for name, array in inputs.items():
        array[:] = [row.request.inputs[name][row.index] for row in rows]
    return inputs


def _wrong_rows(answers, batch):
    shapes = ", ".join(f"{name} {list(answer.shape)}" for name, answer in answers.items())
    return ServingError(
        "FAILED_PRECONDITION",
        f"Batched output tensor's 0th dimension does not equal the sum of the 0th dimension "
        f"sizes of the input tensors: {batch}. Received: {shapes}",
    )
