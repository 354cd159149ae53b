"""A small task that keeps the protocol of export: tokenizer, word table, vectors, no BERT."""

import shutil
from pathlib import Path

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
        self.vectors = tf.Variable(random.normal(size=(len(VOCABULARY), WIDTH)), dtype="float32")
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
