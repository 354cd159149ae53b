"""Rows of many requests, answered together."""

import concurrent.futures
import logging
import threading
import time

from tf_bertembed.common import available_cores
from tf_bertembed.serving.batch_requests import (
    FEWEST_BYTES,
    Queue,
    Request,
    count_rows,
    gather,
)
from tf_bertembed.serving.batching_parameters import BatchingParameters
from tf_bertembed.serving.errors import ServingError
from tf_bertembed.serving.padded_runs import run_in_parts

log = logging.getLogger(__name__)

# Clients that were answered together ask again one after the other: without a
# pause a free thread takes the first of them alone, at three times the cost.
PAUSE = 0.005


class Batcher:
    """Runs requests in a few threads, and puts rows together where that is safe.

    Each thread takes the row that has waited longest and those that are
    about as long, so that little is computed for padding. Requests of other
    signatures run alone, in the same threads; where each text has an answer of
    its own, no more rows at a time than a batch has.

    Args:
        parameters: `BatchingParameters`; `None` for the defaults.

    Attributes:
        parameters: `BatchingParameters`. As given.
        observe: callable, called with the model's name, the signature and
            the rows of each batch.
    """

    def __init__(self, parameters=None):
        self.parameters = parameters or BatchingParameters()
        self.observe = None
        threads = self.parameters.num_batch_threads or available_cores()
        self._threads = [
            threading.Thread(target=self._work, name=f"batches-{number}", daemon=True)
            for number in range(threads)
        ]
        self._ready = threading.Condition()
        self._queues = {}
        self._batches = {}  # those that run, by the thread that runs them
        self._idle = self._running = 0
        self._last_rows = 1
        self._stopped = False

    def start(self):
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self, seconds=None):
        """Finish the batches that run, and fail what waits.

        Args:
            seconds: float. How long to wait for those that run, which are
                failed too afterwards; `None` for no limit.

        Returns:
            A bool, whether all are finished.
        """
        with self._ready:
            self._stopped = True
            left = [row.request for queue in self._queues.values() for row in queue.rows]
            self._queues.clear()
            self._ready.notify_all()
        for request in left:
            request.fail(_stopping())
        end = None if seconds is None else time.monotonic() + seconds
        for thread in self._threads:
            if thread.is_alive():
                thread.join(None if end is None else max(0.0, end - time.monotonic()))
        with self._ready:
            running = [row.request for rows in self._batches.values() for row in rows]
        for request in running:
            request.fail(_stopping())
        return not any(thread.is_alive() for thread in self._threads)

    def queued(self):
        """Count the rows that wait.

        Returns:
            A dict from pairs of a model's name and a signature to ints.
        """
        counts = {}
        with self._ready:
            for queue in self._queues.values():
                key = (queue.model.name, queue.signature)
                counts[key] = counts.get(key, 0) + len(queue.rows)
        return counts

    def run(self, model, signature, inputs, timeout=None, outputs=None):
        """Answer one request; as `LoadedModel.run`."""
        request = self.submit(model, signature, inputs, outputs)
        try:
            return request.future.result(timeout)
        except concurrent.futures.TimeoutError:
            request.cancelled = True
            raise ServingError(
                "DEADLINE_EXCEEDED", f"The answer was not ready in {timeout:.3f} seconds."
            ) from None

    def submit(self, model, signature, inputs, outputs=None):
        """Put a request into the queue of its signature.

        Args:
            model: `LoadedModel`. It must stay loaded until the future is
                done.
            signature: string. The name of the signature.
            inputs: dict from names to arrays.
            outputs: collection of strings. As for `LoadedModel.run`.

        Returns:
            A `Request`; its `future` gives the outputs.

        Raises:
            ServingError: where the request does not suit the signature, or
                the queue is full.
        """
        model.check(signature, inputs)
        wanted = None if outputs is None else tuple(outputs)
        count = count_rows(inputs) if model.signatures[signature].batchable else None
        # Without a row there is nothing to put together, only to answer.
        together = bool(count)
        request = Request(inputs, count or None)
        key = (id(model), signature, wanted, together)
        with self._ready:
            if self._stopped:
                raise _stopping()
            queue = self._queues.get(key)
            if queue is None:
                queue = self._queues[key] = Queue(model, signature, wanted, together)
            try:
                # Before anything is made for each of its rows.
                self._admit(queue, count or 1)
                queue.rows += request.rows()
            finally:
                if not queue.rows:
                    del self._queues[key]
            self._ready.notify(count or 1)
        return request

    def _admit(self, queue, rows):
        most = self.parameters.max_batch_size if queue.together else 1
        capacity = most * self.parameters.max_enqueued_batches
        largest = min(capacity, self.parameters.most_rows or capacity)
        if rows > largest:
            raise ServingError(
                "INVALID_ARGUMENT",
                f"Task size {rows} is larger than maximum input batch size {largest}",
            )
        left = capacity - len(queue.rows)
        if rows > left:
            raise ServingError(
                "UNAVAILABLE",
                "The batch scheduling queue to which this task was submitted is full; task size "
                f"is {rows} but scheduling capacity is only {left} (num_enqueued_batches="
                f"{-(-len(queue.rows) // most)}, max_enqueued_batches="
                f"{self.parameters.max_enqueued_batches}, max_execution_batch_size={most})",
            )

    def _work(self):
        while True:
            with self._ready:
                self._idle += 1
                taken = self._take()
                while taken is None and not self._stopped:
                    self._ready.wait(self._patience())
                    taken = self._take()
                self._idle -= 1
                if taken is None:
                    return
                queue, rows = taken
                self._running += 1
                self._last_rows = len(rows)
                self._batches[threading.get_ident()] = rows
            try:
                self._run(queue, rows)
            # A fault in here must fail its requests, not the thread that serves all.
            except Exception as error:
                log.exception("a batch failed", extra={"fields": {"model": queue.model.name}})
                for row in rows:
                    row.request.fail(ServingError("INTERNAL", type(error).__name__))
            with self._ready:
                self._running -= 1
                del self._batches[threading.get_ident()]
            # Not held while waiting: the model may be let go meanwhile.
            del taken, queue, rows

    def _patience(self):
        """Seconds until the first batch that is not full must run; `None` for no limit."""
        if not self._queues:
            return None
        oldest = min(queue.rows[0].since for queue in self._queues.values())
        return max(0.0, oldest + self._pause() - time.monotonic())

    def _pause(self):
        """Seconds that a batch waits for more rows."""
        if self.parameters.batch_timeout_micros is not None:
            return self.parameters.batch_timeout_micros / 1e6
        return PAUSE if self._running or self._last_rows > 1 else 0.0

    def _take(self):
        """Take a batch from the queue that has waited longest, where one is due."""
        for queue in sorted(self._queues.values(), key=lambda queue: queue.rows[0].since):
            queue.rows = [row for row in queue.rows if not row.request.over()]
            if not queue.rows:
                self._forget(queue)
                continue
            if not self._due(queue):
                continue
            rows = queue.take(self.parameters.max_batch_size, self._idle)
            if not queue.rows:
                self._forget(queue)
            return queue, rows
        return None

    def _due(self, queue):
        if not queue.together or len(queue.rows) >= self.parameters.max_batch_size:
            return True
        if self.parameters.batch_timeout_micros is None and queue.cost() >= FEWEST_BYTES:
            return True
        return time.monotonic() - queue.rows[0].since >= self._pause()

    def _forget(self, queue):
        self._queues = {key: kept for key, kept in self._queues.items() if kept is not queue}

    def _run(self, queue, rows):
        if not queue.together:
            self._run_alone(queue, rows[0].request)
            return
        if self.observe is not None:
            self.observe(queue.model.name, queue.signature, len(rows))
        try:
            answers = queue.compute(gather(rows))
        except ServingError as error:
            self._run_singly(queue, rows, error)
            return
        for place, row in enumerate(rows):
            row.request.put(row.index, answers, place, len(rows))

    def _run_alone(self, queue, request):
        most, inputs = self.parameters.max_batch_size, request.inputs
        signature = queue.model.signatures[queue.signature]
        try:
            if signature.divisible and count_rows(inputs) > most:
                fillers = queue.model.fillers[queue.signature]
                outputs = run_in_parts(queue.compute, inputs, most, fillers, request.over)
            else:
                outputs = queue.compute(inputs)
        except ServingError as error:
            request.fail(error)
            return
        if outputs is not None:
            request.done(outputs)

    @staticmethod
    def _run_singly(queue, rows, error):
        """Answer each request of a failed batch alone, so that only the bad one fails."""
        requests = {}
        for row in rows:
            requests.setdefault(row.request, []).append(row)
        if len(requests) == 1:
            rows[0].request.fail(error)
            return
        for request, own in requests.items():
            try:
                answers = queue.compute(gather(own))
            except ServingError as alone:
                request.fail(alone)
                continue
            for place, row in enumerate(own):
                request.put(row.index, answers, place, len(own))


def _stopping():
    return ServingError("UNAVAILABLE", "The server is shutting down.")
