"""What a server tells Prometheus."""

import prometheus_client
from prometheus_client.core import GaugeMetricFamily

from tf_bertembed.serving import facts
from tf_bertembed.serving.errors import ServingError
from tf_bertembed.serving.served_model import STATES

REQUEST = ("model", "version", "signature", "api", "method", "status")
SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Statistics:
    """Counts requests and batches, in a registry of its own.

    A label is only ever what the server knows: a name that a client made up
    counts as the empty one.

    Args:
        store: `ModelStore`. Its batches, queues and versions are told too.
    """

    def __init__(self, store):
        self.registry = prometheus_client.CollectorRegistry()
        self._requests = prometheus_client.Counter(
            "tf_bertembed_requests", "Requests answered.", REQUEST, registry=self.registry
        )
        self._seconds = prometheus_client.Histogram(
            "tf_bertembed_request_seconds",
            "Time from a request to its answer.",
            ("model", "api", "method"),
            buckets=SECONDS,
            registry=self.registry,
        )
        self._rows = prometheus_client.Histogram(
            "tf_bertembed_batch_rows",
            "Rows that were answered together.",
            ("model", "signature"),
            buckets=ROWS,
            registry=self.registry,
        )
        # Memory, processor time, open files.
        prometheus_client.ProcessCollector(registry=self.registry)
        self.registry.register(_StoreCollector(store))
        store.batcher.observe = self._batch

    def request(self, api, method, status, seconds):
        """Count a request; its model is what `facts` collected.

        Args:
            api: string. `"grpc"` or `"rest"`.
            method: string. What was asked, for example `"predict"`.
            status: string. The code of the answer.
            seconds: float. How long it took.
        """
        known = facts.current()
        model = known.get("model", "")
        self._requests.labels(
            *(model, known.get("version", ""), known.get("signature", "")),
            *(api, method, status),
        ).inc()
        self._seconds.labels(model, api, method).observe(seconds)

    def rest(self, verb, model, status, seconds):
        """Count a request of the REST API; what `create_app(observe=…)` calls."""
        self.request("rest", verb, str(status), seconds)

    def page(self):
        """Give everything in Prometheus' text format.

        Returns:
            bytes.
        """
        return prometheus_client.generate_latest(self.registry)

    def _batch(self, model, signature, rows):
        self._rows.labels(model, signature).observe(rows)


class _StoreCollector:
    """What a store holds at the moment it is asked."""

    def __init__(self, store):
        self._store = store

    def collect(self):
        queued = GaugeMetricFamily(
            "tf_bertembed_queued_rows", "Rows that wait.", labels=("model", "signature")
        )
        for (model, signature), rows in self._store.batcher.queued().items():
            queued.add_metric((model, signature), rows)
        states = GaugeMetricFamily(
            "tf_bertembed_version_state",
            "1 for the state that a version is in.",
            labels=("model", "version", "state"),
        )
        for model in self._store.names():
            try:
                statuses = self._store.statuses(model)
            except ServingError:  # no version of it was ever there
                continue
            for status in statuses:
                for state in STATES:
                    labels = (model, str(status.version), state)
                    states.add_metric(labels, float(state == status.state))
        return [queued, states]
