"""A small exported model, one that fails on certain texts, and texts of every kind."""

from pathlib import Path

import keras
import pytest
import tensorflow as tf
from gensim.test.utils import datapath

from tf_bertembed import export, models, probe, tasks, text

BAD = "a text that the model cannot take"


@pytest.fixture(scope="session")
def bad_text():
    return BAD


@pytest.fixture(scope="session")
def texts():
    """English reviews, Chinese, emoji, an empty text, one of spaces and a very long one."""
    reviews = Path(datapath("pang_lee_polarity.cor")).read_text("cp1252").splitlines()
    others = ["我住在北京。", "Un café naïve 🙂🚀", "", "   ", "word " * 4000, "\x00 a NUL"]
    return [*reviews[:20], *others, *reviews[20:40]]


@pytest.fixture(scope="session")
def saved_model(texts, tmp_path_factory):
    keras.utils.set_random_seed(0)
    tokenizer = text.BertEmbedTokenizer(text.train_vocabulary(texts, 300, min_frequency=1))
    backbone = models.BertEmbedBackbone(
        vocabulary_size=tokenizer.vocabulary_size(),
        num_layers=1,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=16,
        max_sequence_length=64,
    )
    task = tasks.TextClassifier(backbone, 2, text.Preprocessor(tokenizer, 48), pooling="mean")
    folder = tmp_path_factory.mktemp("models") / "small"
    return export.export_saved_model(task, folder, warmup=False)


@pytest.fixture(scope="session")
def expected(saved_model, texts):
    """The vectors of the texts as the estimator gives them."""
    return probe.BertEmbedTransformer(str(saved_model)).fit(texts).transform(texts)


class Fragile(tf.Module):
    """Answers the length of a text, and fails on one text."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def embed(self, text):
        message = "this text is too much"
        with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(text != BAD), [message])]):
            lengths = tf.cast(tf.strings.length(text), tf.float32)
        return {"embedding": tf.stack([lengths, -lengths], axis=1)}


@pytest.fixture(scope="session")
def fragile_model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "fragile" / "1"
    module = Fragile()
    tf.saved_model.save(module, str(folder), signatures={"embed": module.embed})
    return folder
