"""The real checkpoint, an independent computation of it, and small backbones."""

import importlib.util
import json
from pathlib import Path

import keras
import numpy as np
import pytest
from gensim.models import KeyedVectors
from gensim.test.utils import datapath
from safetensors.numpy import save_file

from tf_bertembed import models, text

VOCABULARY_SIZE, WORDS, STATIC_DIM = 60, 12, 6

# Of a small folder in Hugging Face's form.
WIDTH, INNER, LAYERS, PIECES, PLACES = 8, 16, 2, 20, 12
CONFIG = {
    "model_type": "bert",
    "vocab_size": PIECES,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 2,
    "hidden_size": WIDTH,
    "intermediate_size": INNER,
    "max_position_embeddings": PLACES,
    "type_vocab_size": 2,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
}


@pytest.fixture(scope="session")
def vectors():
    """Real GloVe vectors, a row of zeros before them."""
    loaded = KeyedVectors.load_word2vec_format(datapath("test_glove.txt"), no_header=True)
    return np.concatenate([np.zeros((1, loaded.vector_size)), loaded.vectors])


def make_backbone(**arguments):
    """A backbone with random weights, of which the table of words is filled."""
    keras.utils.set_random_seed(0)
    sizes = {
        "vocabulary_size": VOCABULARY_SIZE,
        "num_layers": 2,
        "num_heads": 2,
        "hidden_dim": 8,
        "intermediate_dim": 16,
        "max_sequence_length": 16,
    }
    if arguments.get("input_fusion") or arguments.get("output_fusion"):
        sizes.update(static_vocabulary_size=WORDS + 1, static_dim=STATIC_DIM)
    backbone = models.BertEmbedBackbone(**{**sizes, **arguments})
    if backbone.static_embedding is not None:
        matrix = np.random.default_rng(1).normal(size=(WORDS + 1, STATIC_DIM))
        matrix[0] = 0
        backbone.set_static_vectors(matrix)
    return backbone


def make_features(lengths=(16, 9, 2), width=None, static=True, tags=0):
    """Features of random pieces, padded to `width`."""
    random = np.random.default_rng(2)
    shape = (len(lengths), width or max(lengths))
    mask = np.arange(shape[1]) < np.array(lengths)[:, None]

    def ids(high, low=0):
        return (random.integers(low, high, shape) * mask).astype("int32")

    features = {
        "token_ids": ids(VOCABULARY_SIZE, 5),
        "segment_ids": ids(2),
        "padding_mask": mask,
    }
    if static:
        features["static_ids"] = ids(WORDS + 1)
    if tags:
        features["tag_ids"] = ids(tags)
    return features


def randomise(backbone, seed=3):
    """Give every weight some value, so that no part is at its neutral start."""
    random = np.random.default_rng(seed)
    for variable in backbone.trainable_variables:
        variable.assign_add(0.3 * random.normal(size=variable.shape))
    return backbone


@pytest.fixture(scope="session")
def small():
    return make_backbone


@pytest.fixture(scope="session")
def features():
    return make_features


@pytest.fixture(scope="session")
def randomised():
    return lambda **arguments: randomise(make_backbone(**arguments))


@pytest.fixture(scope="session")
def folder():
    return models.find_checkpoint("all-minilm-l6-v2")


@pytest.fixture(scope="session")
def minilm(folder):
    return models.load(folder)


@pytest.fixture(scope="session")
def reference(folder):
    place = Path(__file__).with_name("reference.py")
    spec = importlib.util.spec_from_file_location("tests_models_reference", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.ReferenceBert(folder)


@pytest.fixture(scope="session")
def sentences():
    """Sentences of real news, of which the batch is mostly padding, and a pair's two."""
    lines = Path(datapath("lee_background.cor")).read_text(encoding="utf-8").splitlines()
    cut = [line.split(". ")[0] for line in lines[:6]]
    return [*cut, "Yes.", "我住在北京。 Café naïve 🙂"]


@pytest.fixture(scope="session")
def real_features(folder, sentences):
    """One padded batch of pairs: first and second text, many lengths."""
    tokenizer = text.BertEmbedTokenizer.from_folder(folder)
    preprocessor = text.Preprocessor(tokenizer, sequence_length=96)
    seconds = [sentences[-2], "", *sentences[:4], "", ""]
    batch = preprocessor((sentences, seconds))
    return {name: value.numpy() for name, value in batch.items()}


def made_tensors():
    """Random weights under the published names and shapes."""
    random = np.random.default_rng(0)
    shapes = {
        "embeddings.word_embeddings.weight": (PIECES, WIDTH),
        "embeddings.position_embeddings.weight": (PLACES, WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
    }

    def dense(name, inputs, outputs):
        shapes.update({f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)})

    def norm(name):
        shapes.update({f"{name}.weight": (WIDTH,), f"{name}.bias": (WIDTH,)})

    norm("embeddings.LayerNorm")
    for index in range(LAYERS):
        layer = f"encoder.layer.{index}"
        for part in ("query", "key", "value"):
            dense(f"{layer}.attention.self.{part}", WIDTH, WIDTH)
        dense(f"{layer}.attention.output.dense", WIDTH, WIDTH)
        norm(f"{layer}.attention.output.LayerNorm")
        dense(f"{layer}.intermediate.dense", WIDTH, INNER)
        dense(f"{layer}.output.dense", INNER, WIDTH)
        norm(f"{layer}.output.LayerNorm")
    dense("pooler.dense", WIDTH, WIDTH)
    return {name: random.normal(size=shape).astype("float32") for name, shape in shapes.items()}


@pytest.fixture(scope="session")
def tensors():
    return made_tensors()


@pytest.fixture
def write(tensors, tmp_path):
    """Write a folder out of changed configuration and changed tensors."""

    def write(config=None, change=None):
        changed = dict(tensors) if change is None else change(dict(tensors))
        (tmp_path / "config.json").write_text(json.dumps({**CONFIG, **(config or {})}))
        save_file(changed, tmp_path / "model.safetensors")
        return tmp_path

    return write


@pytest.fixture
def batch():
    return {
        "token_ids": np.array([[2, 7, 9, 3]], "int32"),
        "segment_ids": np.array([[0, 0, 1, 1]], "int32"),
        "padding_mask": np.ones((1, 4), bool),
    }


@pytest.fixture(scope="session")
def answer():
    """What the encoder of a folder answers, arrays by name."""

    def answer(folder, batch, **overrides):
        outputs = models.load(folder, **overrides)(batch)
        return {key: np.asarray(value) for key, value in outputs.items()}

    return answer
