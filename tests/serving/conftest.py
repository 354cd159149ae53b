"""Small real exports, and servers of them on loopback."""

import contextlib
import shutil
import threading
import time
import types

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import (
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from tf_bertembed.export.signature_checks import CLASSIFY_METHOD
from tf_bertembed.serving import Server
from tf_bertembed.serving.batching import Batcher
from tf_bertembed.serving.batching_parameters import BatchingParameters
from tf_bertembed.serving.loaded_model import LoadedModel
from tf_bertembed.serving.model_config import ModelConfig, VersionPolicy
from tf_bertembed.serving.model_store import ModelStore

TEXTS = tf.TensorSpec([None], tf.string, name="text")


class Toy(tf.Module):
    """Signatures of every kind that a server may meet."""

    def __init__(self):
        super().__init__()
        words = tf.lookup.KeyValueTensorInitializer(["good", "bad"], [1, 2])
        self.table = tf.lookup.StaticHashTable(words, default_value=0)
        self.scale = tf.Variable([1.0, 2.0, 3.0])

    @tf.function(input_signature=[TEXTS])
    def shout(self, text):
        length = tf.cast(tf.strings.length(text), tf.float32)
        return {"upper": tf.strings.upper(text), "vector": length[:, None] * self.scale}

    @tf.function(input_signature=[TEXTS, tf.TensorSpec([None], tf.string, name="other")])
    def join(self, text, other):
        return {"joined": text + other}

    @tf.function(input_signature=[TEXTS])
    def letters(self, text):
        return {"letters": tf.strings.unicode_split(text, "UTF-8").to_tensor()}

    @tf.function(input_signature=[TEXTS])
    def codes(self, text):
        codes = tf.strings.unicode_decode(text, "UTF-8")
        places = tf.ragged.range(codes.row_lengths())
        return {
            "codes": codes.to_tensor(0),
            "places": places.to_tensor(-1),
            "halves": tf.cast(codes, tf.float32).to_tensor(0.0) / 2,
            "length": tf.strings.length(text),
        }

    @tf.function(input_signature=[TEXTS])
    def lonely(self, text):
        among = tf.cast(text[:, None] == text[None], tf.int32)
        return {"among": among * tf.range(1, tf.size(text) + 1)}

    @tf.function(input_signature=[TEXTS])
    def parse(self, text):
        return {"number": tf.strings.to_number(text)}

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="x")])
    def half(self, x):
        return {"y": x / 2 + 2}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.uint8, name="small"),
            tf.TensorSpec([], tf.int64, name="whole"),
            tf.TensorSpec([None, None], tf.bool, name="flags"),
        ]
    )
    def kinds(self, small, whole, flags):
        return {
            "small": small,
            "whole": whole,
            "flags": flags,
            "half": tf.cast(small, tf.float16),
            "double": tf.cast(small, tf.float64),
        }

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
    def classify(self, inputs):
        parsed = tf.io.parse_example(inputs, {"text": tf.io.FixedLenFeature([], tf.string)})
        scores = tf.one_hot(self.table.lookup(parsed["text"]), 3)
        names = tf.constant(["none", "good", "bad"])
        return {"classes": tf.tile(names[None], [tf.shape(inputs)[0], 1]), "scores": scores}


@pytest.fixture(scope="session")
def toy(tmp_path_factory):
    """The folder of one exported version, to be copied."""
    module = Toy()
    folder = tmp_path_factory.mktemp("toy") / "1"
    names = ["join", "letters", "codes", "lonely", "parse", "half", "kinds", "classify"]
    signatures = {
        "serving_default": module.shout,
        **{name: getattr(module, name) for name in names},
    }
    tf.saved_model.save(module, str(folder), signatures)
    saved = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    signature = saved.meta_graphs[0].signature_def["classify"]
    signature.method_name = CLASSIFY_METHOD
    (folder / "saved_model.pb").write_bytes(saved.SerializeToString())
    return folder


@pytest.fixture(scope="module")
def loaded(toy):
    """A version in a session, without a server."""
    model = LoadedModel("toy", 1, toy)
    yield model
    model.close()


@pytest.fixture
def base(toy, tmp_path):
    """A folder NAME with version 1 in it."""
    shutil.copytree(toy, tmp_path / "toy" / "1")
    return tmp_path / "toy"


@pytest.fixture
def add_version(toy):
    """Copy the export in as one more version, as an export does: written beside, renamed."""

    def add(base, number):
        shutil.copytree(toy, base / f".{number}.new" / str(number))
        (base / f".{number}.new" / str(number)).rename(base / str(number))

    return add


def strings(*texts):
    """Texts as a request holds them."""
    array = np.empty(len(texts), object)
    array[:] = [text if isinstance(text, bytes) else text.encode() for text in texts]
    return array


def until(condition, seconds=30.0):
    """Wait until a condition holds; fail where it never does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.01)


def in_threads(function, arguments):
    """Call a function with each argument, all at a time; the results, or what was raised."""
    results = [None] * len(arguments)

    def call(place, argument):
        try:
            results[place] = function(argument)
        except (ValueError, grpc.RpcError) as error:
            results[place] = error

    threads = [threading.Thread(target=call, args=item) for item in enumerate(arguments)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


@pytest.fixture(scope="session")
def tools():
    """Functions that tests of this folder share."""
    return types.SimpleNamespace(strings=strings, until=until, in_threads=in_threads)


@pytest.fixture
def batches(loaded, monkeypatch):
    """The texts of each run of the graph."""
    seen, compute = [], loaded.compute

    def recording(signature, inputs, *rest):
        seen.append(next(iter(inputs.values())).tolist())
        return compute(signature, inputs, *rest)

    monkeypatch.setattr(loaded, "compute", recording)
    return seen


@pytest.fixture
def make_batcher():
    """Make batchers that are stopped with the test."""
    made = []

    def make(**parameters):
        made.append(Batcher(BatchingParameters(**parameters)))
        return made[-1]

    yield make
    for batcher in made:
        batcher.stop()


@pytest.fixture(scope="session")
def started():
    """Run a store of models that looks for versions often, until the block ends."""

    @contextlib.contextmanager
    def started(*models, **settings):
        store = ModelStore(list(models), **{"poll_seconds": 0.02, **settings})
        store.start()
        try:
            yield store
        finally:
            store.stop()

    return started


@pytest.fixture(scope="module")
def served(toy, tmp_path_factory):
    """Two versions on gRPC, version 1 labelled as stable."""
    base = tmp_path_factory.mktemp("served") / "toy"
    for number in ("1", "2"):
        shutil.copytree(toy, base / number)
    config = ModelConfig("toy", base, {"stable": 1}, VersionPolicy(every=True))
    with (
        Server(ModelStore([config], poll_seconds=0), rest_port=0, grpc_port=0) as server,
        grpc.insecure_channel(server.addresses()["grpc"]) as channel,
    ):
        yield types.SimpleNamespace(
            base=base,
            channel=channel,
            predict=prediction_service_pb2_grpc.PredictionServiceStub(channel),
            models=model_service_pb2_grpc.ModelServiceStub(channel),
        )


def model_spec(name="toy", signature="", version=None, label=None):
    """Which model, version and signature a request of gRPC is about."""
    made = model_pb2.ModelSpec(name=name, signature_name=signature)
    if version is not None:
        made.version.value = version
    if label is not None:
        made.version_label = label
    return made


@pytest.fixture(scope="session")
def spec():
    return model_spec


@pytest.fixture(scope="session")
def predict_request():
    """Make a request to predict, its arrays written by TensorFlow."""

    def make(inputs, output_filter=(), **chosen):
        spec = model_spec(**chosen)
        made = predict_pb2.PredictRequest(model_spec=spec, output_filter=output_filter)
        for name, value in inputs.items():
            made.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        return made

    return make


@pytest.fixture(scope="session")
def fails():
    """Check the code and the words of an error of gRPC."""

    def check(method, message, code, details):
        with pytest.raises(grpc.RpcError) as raised:
            method(message, timeout=60)
        assert (raised.value.code(), raised.value.details()) == (grpc.StatusCode[code], details)

    return check


CONTEXT = "🙂 Ada lives in 北京 with Bo."
WORDS = ["🙂", "Ada", "lives", "in", "北", "京", "with", "Bo", "."]
TAGS = ["O", "B-PER", "O", "O", "B-LOC", "I-LOC", "O", "B-PER", "O"]


@pytest.fixture(scope="session")
def every_task(tmp_path_factory):
    """A small export of each task: their folders by name, and the text that they know."""
    import keras

    from tf_bertembed import export, models, tasks, text

    keras.utils.set_random_seed(0)
    folder = tmp_path_factory.mktemp("tasks")
    tokenizer = text.BertEmbedTokenizer(text.train_vocabulary([CONTEXT] * 3, 80))
    plain = text.Preprocessor(tokenizer, 32)
    spans = text.TaggingPreprocessor(tokenizer, sequence_length=32, split="punctuation")

    def backbone():
        return models.BertEmbedBackbone(tokenizer.vocabulary_size(), 1, 2, 32, 64)

    made = {
        "classifier": tasks.TextClassifier(backbone(), ["no", "yes"], plain),
        "several": tasks.TextClassifier(
            backbone(), ["no", "yes"], plain, multi_label=True, threshold=0.01
        ),
        "encoder": tasks.SentenceEncoder(backbone(), plain),
        "tagger": tasks.TokenClassifier(backbone(), sorted(set(TAGS)), spans),
        "answerer": tasks.QuestionAnswerer(backbone(), text.QuestionPreprocessor(tokenizer, 32)),
    }
    made["tagger"].compile(tasks.AdamW(1e-2))
    made["tagger"].fit([WORDS] * 16, [TAGS] * 16, batch_size=8, epochs=15, verbose=0)
    for name, task in made.items():
        export.export_saved_model(task, folder / name)
    return types.SimpleNamespace(folders={name: folder / name for name in made}, context=CONTEXT)
