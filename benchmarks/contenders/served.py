"""`tf-bertembed serve` in a process of its own, and clients that ask it in threads."""

import contextlib
import dataclasses
import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
import urllib.parse
from pathlib import Path

from harness.contenders import REPOSITORY

APIS = ("grpc", "rest")
PREDICT = "/tensorflow.serving.PredictionService/Predict"
PATIENCE = 120  # seconds for one answer


def export_minilm(folder):
    """Export all-MiniLM-L6-v2 once; answer the folder of its versions."""
    if not (folder / "1").is_dir():
        from tf_bertembed import export, models, tasks

        encoder = models.load_encoder("all-minilm-l6-v2")
        # As its folder says, and as bulk embedding does.
        task = tasks.SentenceEncoder(encoder.backbone, encoder.preprocessor, normalize=True)
        export.export_saved_model(task, folder)
    return folder


@contextlib.contextmanager
def serving(folder, log, variables):
    """Serve a model; yields a `Server`, and ends the process afterwards."""
    command = [sys.executable, "-m", "tf_bertembed", "serve", str(folder), "--json"]
    with (
        log.open("ab") as stderr,
        subprocess.Popen(
            [*command, "--rest-port", "0", "--grpc-port", "0"],
            cwd=REPOSITORY,
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        try:
            document = ""
            for line in process.stdout:
                document += line
                if line.startswith("}"):
                    break
            if not document:
                raise RuntimeError(f"The server did not start; see {log}.")
            yield Server(process.pid, json.loads(document))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)


@dataclasses.dataclass
class Found:
    """What clients found together.

    Args:
        latencies: list of floats, seconds of each answer.
        failed: int. Requests without the answer that was due.
        seconds: float. How long they asked.
        client_cpu: float. Processor time of the clients, in seconds.
        server_cpu: float. Processor time of the server, in seconds.
    """

    latencies: list
    failed: int
    seconds: float
    client_cpu: float
    server_cpu: float

    @property
    def requests(self):
        """int. The requests that were answered."""
        return len(self.latencies)

    @property
    def rate(self):
        """float. Answers a second."""
        return self.requests / self.seconds

    def percentiles(self):
        """The 50th, 95th and 99th percentile, in milliseconds."""
        cuts = statistics.quantiles(self.latencies, n=100, method="inclusive")
        return {f"p{place}": round(1000 * cuts[place - 1], 2) for place in (50, 95, 99)}


class Server:
    """The driver's side of a server.

    Args:
        pid: int. Its process.
        served: dict. What its command printed.
    """

    def __init__(self, pid, served):
        self._pid, self._served = pid, served
        self._name = served["models"][0]

    def resident_mb(self):
        """The memory that its process holds."""
        for line in Path(f"/proc/{self._pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return round(int(line.split()[1]) / 1000, 1)
        raise RuntimeError(f"The process {self._pid} has no resident memory.")

    def cpu_seconds(self):
        """The processor time that its process took so far."""
        # Fields 14 and 15 of proc(5), counted from after the name of the program.
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def requests(self, api, signature, texts, rows):
        """Requests of `rows` texts each, as bytes, so that clients cost little."""
        parts = [texts[at : at + rows] for at in range(0, len(texts) - rows + 1, rows)]
        return [self._encode(api, signature, part) for part in parts]

    def _encode(self, api, signature, texts):
        if api == "rest":
            return json.dumps({"signature_name": signature, "instances": texts}).encode()
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2

        request = predict_pb2.PredictRequest()
        request.model_spec.name = self._name
        request.model_spec.signature_name = signature
        request.inputs["text"].CopyFrom(tf.make_tensor_proto(texts))
        return request.SerializeToString()

    def vectors(self, api, signature, texts):
        """The vectors of texts, read from one answer."""
        with self.client(api) as ask:
            answer = ask(self._encode(api, signature, texts))
        if api == "rest":
            return json.loads(answer)["predictions"]
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2

        outputs = predict_pb2.PredictResponse.FromString(answer).outputs
        return tf.make_ndarray(next(iter(outputs.values())))

    @contextlib.contextmanager
    def client(self, api):
        """A connection of one client: a function from a request's bytes to the answer's."""
        if api == "grpc":
            import grpc

            settings = [("grpc.use_local_subchannel_pool", 1)]
            with grpc.insecure_channel(self._served["grpc"], settings) as channel:
                ask = channel.unary_unary(PREDICT)
                yield lambda request: ask(request, timeout=PATIENCE)
            return
        address = urllib.parse.urlsplit(self._served["rest"]).netloc
        path = f"/v1/models/{self._name}:predict"
        connection = http.client.HTTPConnection(address, timeout=PATIENCE)

        def ask(request):
            connection.request("POST", path, request)
            response = connection.getresponse()
            body = response.read()
            if response.status != 200:
                raise RuntimeError(body[:200])
            return body

        with contextlib.closing(connection):
            yield ask

    def load(self, api, requests, clients, seconds=None, most=None):
        """Have clients ask one request after the other, for some seconds or so many times."""
        load = _Load(self, api, requests, clients, most)
        load.start()
        if seconds is not None:
            time.sleep(seconds)
            load.over.set()
        return load.join()

    @contextlib.contextmanager
    def background(self, api, requests, clients):
        """Have clients ask while a block runs; what they found is in `found` afterwards."""
        load = _Load(self, api, requests, clients, None)
        load.start()
        try:
            yield load
        finally:
            load.over.set()
            load.join()

    def until(self, version, state):
        """Wait until a version is in a state."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self._state(version) == state:
                return
            time.sleep(0.05)
        raise RuntimeError(f"Version {version} did not come to be {state}.")

    def _state(self, version):
        address = urllib.parse.urlsplit(self._served["rest"]).netloc
        with contextlib.closing(http.client.HTTPConnection(address, timeout=PATIENCE)) as ask:
            ask.request("GET", f"/v1/models/{self._name}/versions/{version}")
            answer = json.loads(ask.getresponse().read())
        return answer.get("model_version_status", [{"state": None}])[0]["state"]


class _Load:
    def __init__(self, server, api, requests, clients, most):
        self.over, self.found = threading.Event(), None
        self._server, self._api, self._requests, self._most = server, api, requests, most
        self._asked, self._lock = 0, threading.Lock()
        self._latencies, self._failed = [], 0
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]

    def start(self):
        self._begun = time.perf_counter()
        self._before = time.process_time(), self._server.cpu_seconds()
        for thread in self._threads:
            thread.start()

    def join(self):
        for thread in self._threads:
            thread.join()
        seconds = time.perf_counter() - self._begun
        client, server = self._before
        self.found = Found(
            self._latencies,
            self._failed,
            seconds,
            time.process_time() - client,
            self._server.cpu_seconds() - server,
        )
        return self.found

    def _next(self):
        with self._lock:
            if self.over.is_set() or (self._most is not None and self._asked >= self._most):
                return None
            self._asked += 1
            return self._requests[self._asked % len(self._requests)]

    def _ask(self):
        with self._server.client(self._api) as ask:
            while (request := self._next()) is not None:
                begun = time.perf_counter()
                try:
                    ask(request)
                # Whatever went wrong, this answer is lost, and is counted as such.
                except Exception as error:
                    print(f"lost: {error}", file=sys.stderr)
                    with self._lock:
                        self._failed += 1
                    return
                self._latencies.append(time.perf_counter() - begun)
