"""A store of one small model with signatures of many kinds, and a server of it."""

import contextlib
import dataclasses
import html
import http.client
import json
import re
import shutil
import subprocess
import threading
import types
import urllib.parse
from pathlib import Path

import pytest
import tensorflow as tf
import uvicorn
from hypothesis import HealthCheck, settings
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from tf_bertembed.export.signature_checks import CLASSIFY_METHOD, REGRESS_METHOD
from tf_bertembed.serving.model_config import ModelConfig
from tf_bertembed.serving.model_store import ModelStore
from tf_bertembed.serving.rest import BoundedProtocol, Limits, create_app

# Time limits would fail on a busy machine, and a folder of examples is not kept.
settings.register_profile(
    "served", deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
settings.load_profile("served")


class Small(tf.Module):
    """Signatures whose answers are known without a look at the model."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def measure(self, text):
        length = tf.strings.length(text)
        halves = tf.cast(length, tf.float32) / 2
        return {
            "length": length,
            "halves": tf.stack([halves, -halves], axis=1),
            "text": text,
            "text_bytes": text,
        }

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def echo(self, text):
        return {"text": text}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def words(self, text):
        return {"words": tf.strings.split(text, " ").to_tensor("")}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, name="text_a"),
            tf.TensorSpec([None], tf.string, name="text_b"),
        ]
    )
    def join(self, text_a, text_b):
        return {"joined": text_a + b"+" + text_b}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, 2], tf.float32, name="floats"),
            tf.TensorSpec([None], tf.uint8, name="small"),
            tf.TensorSpec([None], tf.int64, name="large"),
            tf.TensorSpec([None], tf.bool, name="flags"),
        ]
    )
    def types(self, floats, small, large, flags):
        doubles = tf.cast(floats, tf.float64)
        return {
            "floats": floats,
            "doubles": doubles,
            "small": small,
            "large": large,
            "flags": flags,
        }

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def unwritable(self, text):
        return {"half": tf.cast(tf.strings.length(text), tf.float16)}

    def _parse(self, inputs):
        return tf.io.parse_example(inputs, {"text": tf.io.FixedLenFeature([], tf.string)})["text"]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
    def classify(self, inputs):
        text = self._parse(inputs)
        scores = tf.cast(tf.strings.length(text), tf.float32)[:, tf.newaxis] * [[0.1, 1.0]]
        return {"classes": tf.stack([text, b"b:" + text], axis=1), "scores": scores}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
    def regress(self, inputs):
        return {"outputs": tf.cast(tf.strings.length(self._parse(inputs)), tf.float32)}


def save_small(folder):
    """Write it, as TensorFlow Serving's own exporters write classify and regress."""
    module = Small()
    names = ("echo", "words", "join", "types", "unwritable", "classify", "regress")
    signatures = {name: getattr(module, name) for name in names}
    tf.saved_model.save(module, str(folder), {"serving_default": module.measure, **signatures})
    path = folder / "saved_model.pb"
    saved = SavedModel.FromString(path.read_bytes())
    definitions = saved.meta_graphs[0].signature_def
    definitions["classify"].method_name = CLASSIFY_METHOD
    definitions["regress"].method_name = REGRESS_METHOD
    path.write_bytes(saved.SerializeToString())


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    base = tmp_path_factory.mktemp("models") / "small"
    save_small(base / "3")
    store = ModelStore([ModelConfig("small", base, labels={"stable": 3})], poll_seconds=0)
    store.start()
    yield store
    store.stop()


class Live:
    """A server on a free port, and raw requests to it."""

    def __init__(self, port):
        self.port = port

    def ask(self, method, path, body=None, headers=None, timeout=60):
        """Send a request; a body that is no bytes is sent as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        with contextlib.closing(connection):
            if body is not None and not isinstance(body, bytes):
                body = json.dumps(body).encode()
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            content = response.read()
        if response.headers.get_content_type() == "application/json":
            content = json.loads(content.decode("utf-8", "surrogateescape"))
        return types.SimpleNamespace(
            status=response.status, headers=response.headers, content=content
        )

    def predict(self, body, path="/v1/models/small:predict", **options):
        """Ask for a prediction."""
        return self.ask("POST", path, body, **options)


@contextlib.contextmanager
def running(store, limits=None, **options):
    """Serve a store until the block ends."""
    limits = limits or Limits()
    config = uvicorn.Config(
        create_app(store, limits=limits, **options),
        host="127.0.0.1",
        port=0,
        http=BoundedProtocol.within(limits),
        log_config=None,
        lifespan="off",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
        assert thread.is_alive()
    try:
        yield Live(server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture(scope="session")
def live(store):
    with running(store) as server:
        yield server


@pytest.fixture(scope="session")
def run_server():
    return running


@pytest.fixture(scope="module")
def strict(run_server, store):
    """A server with limits that a test reaches in a moment."""
    limits = Limits(
        body_bytes=2**20,
        buffered_bytes=2 * 2**20,
        rows=100,
        header_seconds=0.5,
        body_seconds=0.7,
        write_seconds=0.5,
    )
    with run_server(store, limits) as server:
        yield server


@pytest.fixture
def still_well(live, caplog):
    """Whatever a test did: nothing was logged as an error, and others are served."""
    yield
    assert live.predict({"instances": ["a"]}).status == 200
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.fixture(scope="session")
def resident():
    """Tell the bytes of memory that this process, the server's, has."""

    def read():
        status = Path("/proc/self/status").read_text()
        return 1024 * int(status.partition("VmRSS:")[2].split()[0])

    return read


@dataclasses.dataclass
class Shown:
    """What the part of the page that shows answers holds, less the details below it."""

    markup: str

    @property
    def words(self):
        """The text alone."""
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", self.markup)).split())


class Browser:
    """Chromium, which opens the page once with the fields filled in by its address."""

    def __init__(self, program, profile):
        self._command = [
            *(program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-extensions"),
            *(f"--user-data-dir={profile}", "--virtual-time-budget=20000"),
        ]

    def ask(self, port, **fields):
        """What the page shows once the fields are sent."""
        document = self._open(port, "--dump-dom", **fields)
        section = re.search(r'<section id="answer".*?</section>', document, re.DOTALL)[0]
        return Shown(section.partition("<details")[0])

    def draw(self, path, port, size, **fields):
        """Write a picture of it."""
        self._open(port, f"--screenshot={path}", f"--window-size={size}", **fields)

    def _open(self, port, *options, **fields):
        url = f"http://127.0.0.1:{port}/#{urllib.parse.urlencode({**fields, 'ask': 1})}"
        command = [*self._command, *options, url]
        return subprocess.run(command, capture_output=True, timeout=180, check=True).stdout.decode()


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("the browser chromium is not installed (Debian: apt-get install chromium)")
    return Browser(program, tmp_path_factory.mktemp("profile"))
