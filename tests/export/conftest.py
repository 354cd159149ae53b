"""A small task that keeps the protocol of export: tokenizer, word table, vectors, no BERT."""

import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_text as tf_text

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
VOCABULARY = [*SPECIAL, "cafe", "na", "##ive", "film", "good", "我", "住", "."]
WORDS = ["café", "我", "film"]
WIDTH = 6


class TinyPreprocessor(tf.Module):
    def __init__(self):
        super().__init__()
        self.tokenizer = tf_text.FastBertTokenizer(VOCABULARY, lower_case_nfd_strip_accents=True)
        rows = tf.lookup.KeyValueTensorInitializer(WORDS, list(range(1, len(WORDS) + 1)))
        self.table = tf.lookup.StaticHashTable(rows, default_value=0)

    def __call__(self, texts):
        texts = tf.stack(texts, axis=1) if isinstance(texts, tuple) else texts[:, tf.newaxis]
        ids = self.tokenizer.tokenize(tf.strings.reduce_join(texts, axis=1, separator=" "))
        return {
            "token_ids": ids.to_tensor(),
            "row": self.table.lookup(texts[:, 0]),
        }


class TinyTask:
    text_inputs = ("text",)

    def __init__(self, **extra_signatures):
        self.preprocessor = TinyPreprocessor()
        random = np.random.default_rng(0)
        # [PAD] adds nothing, so that a text is answered alike in any batch.
        rows = (
            random.normal(size=(len(VOCABULARY), WIDTH)) * (np.arange(len(VOCABULARY)) > 0)[:, None]
        )
        self.vectors = tf.Variable(rows, dtype="float32")
        self.unused = tf.Variable(tf.zeros([1000, 1000]))
        self.labels = tf.constant(["no", "yes", "人"])
        self._extra = extra_signatures

    def classify(self, features):
        embedding = self.embed(features)["embedding"]
        logits = embedding[:, : self.labels.shape[0]]
        return {
            "label": tf.gather(self.labels, tf.argmax(logits, axis=-1)),
            "probabilities": tf.nn.softmax(logits),
            "row": features["row"],
        }

    def embed(self, features):
        return {"embedding": tf.reduce_sum(tf.gather(self.vectors, features["token_ids"]), axis=1)}

    def signatures(self):
        return {"serving_default": self.classify, "embed": self.embed, **self._extra}


class TinyPairTask(TinyTask):
    text_inputs = ("text_a", "text_b")


@pytest.fixture
def tiny_task():
    return TinyTask


@pytest.fixture
def tiny_pair_task():
    return TinyPairTask


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    from tf_bertembed import export

    return export.export_saved_model(TinyTask(), tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def copied(exported, tmp_path):
    """A copy of the exported model that a test may damage."""
    return Path(shutil.copytree(exported, tmp_path / "tiny" / "1"))


PIECES = ["ada", "wrote", ".", "caf", "##e", "我", "住"]
NAMES = ["ada", "café", "我"]


def parts(preprocessor=None, **arguments):
    """A small backbone with word vectors, and a preprocessor of a kind for it."""
    from tf_bertembed import models, text

    keras.utils.set_random_seed(0)
    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, *PIECES])
    dtype = arguments.pop("dtype", None)
    backbone = models.BertEmbedBackbone(
        vocabulary_size=tokenizer.vocabulary_size(),
        num_layers=1,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=16,
        max_sequence_length=16,
        static_vocabulary_size=len(NAMES) + 1,
        static_dim=4,
        output_fusion="concat",
        dtype=dtype,
    )
    backbone.set_static_vectors(np.arange(16).reshape(4, 4) * np.array([[0], [1], [1], [1]]) / 8)
    kind = preprocessor or text.Preprocessor
    return backbone, kind(tokenizer, 16, static_words=NAMES, **arguments)


@pytest.fixture(scope="session")
def make_parts():
    return parts


@pytest.fixture(scope="session")
def named():
    """A classifier with names for its labels and vectors for some words."""
    from tf_bertembed import tasks

    backbone, preprocessor = parts()
    return tasks.TextClassifier(backbone, ["no", "yes", "人"], preprocessor)


@pytest.fixture(scope="session")
def named_path(named, tmp_path_factory):
    from tf_bertembed import export

    folder = tmp_path_factory.mktemp("models") / "named"
    examples = ["Ada wrote.", "🙂 Café", "我住", "", "wrote wrote Ada"]
    return export.export_saved_model(named, folder, examples=examples, metrics={"f1": 0.5})
