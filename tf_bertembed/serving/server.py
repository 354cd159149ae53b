"""Both APIs of TensorFlow Serving on two ports, started and stopped together."""

import contextlib
import logging
import math
import os
import signal
import threading
import time

from tf_bertembed.serving.ports import address, bind, is_loopback
from tf_bertembed.serving.requirements import require_packages

log = logging.getLogger(__name__)

REST_PORT, GRPC_PORT = 8501, 8500
LOOPBACK = "127.0.0.1"
STOP_SECONDS = 10.0
# How long those whose requests were cut off may take to be told.
CUT_OFF = 2.0


class _EndedError(BaseException):
    """The process was told to end while models were still loaded."""


class Server:
    """Serves the models of a store over REST and gRPC, for development and tests.

    TensorFlow Serving is what production wants; this answers as it does where
    it cannot run.

    Args:
        store: `ModelStore`. The models; the server starts and stops it.
        rest_port: int. Where the REST API listens; 0 for any free port.
        grpc_port: int. Where gRPC listens; 0 for any free port.
        host: string. The address to listen at; by default this machine alone
            is let in.
        stop_seconds: float. How long `stop` waits for requests that run.
        log_texts: bool. Whether logs may hold what clients send.
        limits: `rest.Limits`. Bounds of what a client may ask for; `None`
            for the defaults.

    Attributes:
        rest_port: int. The port that was taken, once started.
        grpc_port: int. Likewise.
        statistics: `Statistics`. What Prometheus is told.

    Example:

    ```python
    import tensorflow as tf
    from tf_bertembed import serving
    from tf_bertembed.serving.model_config import ModelConfig
    from tf_bertembed.serving.model_store import ModelStore

    module = tf.Module()
    module.serve = tf.function(
        lambda text: {"length": tf.strings.length(text)},
        input_signature=[tf.TensorSpec([None], tf.string, name="text")],
    )
    tf.saved_model.save(module, "saved_models/length/1", {"serving_default": module.serve})

    store = ModelStore([ModelConfig("length", "saved_models/length")])
    with serving.Server(store, rest_port=0, grpc_port=0) as server:
        assert store.ready() and server.rest_port > 0
    ```

    References:
        https://www.tensorflow.org/tfx/guide/serving
    """

    def __init__(
        self,
        store,
        rest_port=REST_PORT,
        grpc_port=GRPC_PORT,
        host=LOOPBACK,
        stop_seconds=STOP_SECONDS,
        log_texts=False,
        limits=None,
    ):
        require_packages()
        from tf_bertembed.serving.statistics import Statistics

        self.rest_port, self.grpc_port = rest_port, grpc_port
        self.statistics = Statistics(store)
        self._store, self._host = store, host
        self._stop_seconds, self._log_texts, self._limits = stop_seconds, log_texts, limits
        self._grpc = self._rest = self._thread = self._socket = None
        self._stopping = threading.Lock()
        self._stopped = threading.Event()

    def start(self):
        """Take the ports, load the models, begin to answer.

        Raises:
            BertEmbedError: where a port is taken, or a model cannot be
                served.

        Example:

        ```python
        from tf_bertembed import serving
        from tf_bertembed.serving.model_config import ModelConfig
        from tf_bertembed.serving.model_store import ModelStore

        server = serving.Server(ModelStore([ModelConfig("bbc", "nowhere")]), 0, 0)
        try:
            server.start()
        except FileNotFoundError as error:
            assert "nowhere does not exist" in str(error)
        ```
        """
        from tf_bertembed.serving.grpc_services.grpc_server import make_grpc_server
        from tf_bertembed.serving.rest import Limits

        self._limits = self._limits or Limits()
        if not is_loopback(self._host):
            log.warning(
                "anyone who reaches this address can use the models",
                extra={"fields": {"host": self._host}},
            )
        try:
            self._socket, self.rest_port = bind(self._host, self.rest_port)
            self._grpc, self.grpc_port = make_grpc_server(
                self._store,
                self.statistics,
                self._log_texts,
                self._host,
                self.grpc_port,
                self._limits,
            )
            self._store.start()
            self._grpc.start()
            self._start_rest()
        except BaseException:
            self._close_ports()
            self._store.stop(CUT_OFF)
            raise
        log.info("serving", extra={"fields": self.addresses()})

    def addresses(self):
        """Say where the server listens.

        Returns:
            A dict of `rest`, a URL, and `grpc`, an address with a port.

        Example:

        ```python
        from tf_bertembed import serving
        from tf_bertembed.serving.model_store import ModelStore

        server = serving.Server(ModelStore([]), rest_port=8501, grpc_port=8500)
        assert server.addresses() == {"rest": "http://127.0.0.1:8501", "grpc": "127.0.0.1:8500"}
        ```
        """
        return {
            "rest": f"http://{address(self._host, self.rest_port)}",
            "grpc": address(self._host, self.grpc_port),
        }

    def stop(self):
        """Let no more requests in, finish those that run, free the models.

        What still runs after `stop_seconds` is cut off. A second call does
        nothing.

        Example:

        ```python
        from tf_bertembed import serving
        from tf_bertembed.serving.model_store import ModelStore

        server = serving.Server(ModelStore([]), rest_port=0, grpc_port=0)
        server.start()
        server.stop()
        server.stop()
        ```
        """
        with self._stopping:
            if not self._stopped.is_set():
                self._finish()
                self._stopped.set()

    def wait(self, timeout=None):
        """Wait until the server is stopped.

        Args:
            timeout: float. The most seconds to wait; `None` for no limit.

        Returns:
            A bool, whether it is stopped.

        Example:

        ```python
        from tf_bertembed import serving
        from tf_bertembed.serving.model_store import ModelStore

        with serving.Server(ModelStore([]), rest_port=0, grpc_port=0) as server:
            assert not server.wait(timeout=0.01)
        assert server.wait()
        ```
        """
        return self._stopped.wait(timeout)

    def run(self, started=None):
        """Serve until the process is told to end (SIGTERM, SIGINT), then stop.

        For the main thread of a program. Told a second time, the process ends
        at once.

        Args:
            started: callable without arguments, called once the server
                answers; `None` for nothing.

        Example:

        ```python
        import os
        import signal
        from tf_bertembed import serving
        from tf_bertembed.serving.model_store import ModelStore

        server = serving.Server(ModelStore([]), rest_port=0, grpc_port=0)
        server.run(started=lambda: os.kill(os.getpid(), signal.SIGTERM))
        assert server.wait()
        ```
        """
        asked, starting = threading.Event(), True

        def end(number, frame):
            if asked.is_set():
                # Asked twice: not even the interpreter's own end is waited for.
                os._exit(128 + number)
            asked.set()
            if starting:
                raise _EndedError

        before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            with contextlib.suppress(_EndedError):
                self.start()
                starting = False
                if started is not None:
                    started()
            asked.wait()
        finally:
            self.stop()
            for number, handler in before.items():
                signal.signal(number, handler)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def _start_rest(self):
        import uvicorn

        from tf_bertembed.serving.rest import BoundedProtocol, create_app

        limits = self._limits
        app = create_app(
            self._store,
            limits=limits,
            metrics=self.statistics.page,
            observe=self.statistics.rest,
            log_texts=self._log_texts,
        )
        config = uvicorn.Config(
            app,
            http=BoundedProtocol.within(limits),
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            # Later than the store's own end, which tells clients so.
            timeout_graceful_shutdown=math.ceil(self._stop_seconds + CUT_OFF),
        )
        self._rest = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._rest.run, kwargs={"sockets": [self._socket]}, name="rest", daemon=True
        )
        self._thread.start()

    def _finish(self):
        log.info("stopping")
        end = time.monotonic() + self._stop_seconds
        over = None if self._grpc is None else self._grpc.stop(self._stop_seconds + CUT_OFF)
        if self._rest is not None:
            self._rest.should_exit = True
            self._thread.join(self._stop_seconds)
        if over is not None:
            over.wait(max(0.0, end - time.monotonic()))
        # What still waits or runs is told so, which ends the threads that wait for it.
        self._store.stop(max(0.0, end - time.monotonic()))
        if self._thread is not None:
            self._thread.join(CUT_OFF)
        if over is not None:
            over.wait(CUT_OFF)
        self._close_ports()
        log.info("stopped")

    def _close_ports(self):
        if self._grpc is not None:
            self._grpc.stop(None)
            self._grpc = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None
