"""What sentence encoders refuse."""

import pytest
import tensorflow as tf

from tf_bertembed import tasks
from tf_bertembed.common import BertEmbedError


def test_what_is_refused(make_encoder, make_backbone, pairs, scores):
    encoder = make_encoder()
    with pytest.raises(BertEmbedError, match=r"from 0 to 1, as `score_range` says.*\(0, 5\)"):
        encoder.fit(pairs, scores, verbose=0)
    with pytest.raises(BertEmbedError, match=r"takes pairs of texts.*Received: list"):
        encoder.fit(pairs[0], scores, verbose=0)
    with pytest.raises(BertEmbedError, match="need labels"):
        encoder.fit(pairs, verbose=0)
    with pytest.raises(BertEmbedError, match="One score a pair"):
        encoder.fit(pairs, ["high"] * 16, verbose=0)
    with pytest.raises(BertEmbedError, match="16 and 3"):
        encoder.answer((pairs[0], pairs[1][:3]))
    dataset = tf.data.Dataset.from_tensor_slices((pairs[0], scores)).batch(4)
    with pytest.raises(BertEmbedError, match=r"batches of \(\(first, second\), y\)"):
        encoder.fit(dataset, verbose=0)
    labelled = make_encoder(objective="softmax", labels=["a", "b"])
    with pytest.raises(BertEmbedError, match=r"\['c'\]"):
        labelled.fit(pairs, ["c"] * 16, verbose=0)
    ranked = make_encoder(objective="ranking")
    with pytest.raises(BertEmbedError, match=r"`batch_size` must be at least 2\. Received: 1"):
        ranked.fit(pairs, batch_size=1, verbose=0)
    backbone = make_backbone()
    for arguments, message in (
        ({"pooling": "last"}, "`pooling` must be one of"),
        ({"objective": "triplet"}, "`objective` must be one of"),
        ({"labels": ["a", "b"]}, "`labels` are the names"),
        ({"objective": "softmax"}, "`labels` are the names"),
        ({"objective": "softmax", "labels": ["a"]}, "at least two labels"),
        ({"frequencies": [1]}, "`frequencies` are for"),
        ({"score_range": (5, 0)}, "the lower one first"),
        ({"score_range": None}, "must be two numbers.* Received: None"),
        ({"objective": "ranking", "scale": 0}, "`scale` must be a finite number above 0"),
    ):
        with pytest.raises(BertEmbedError, match=message):
            tasks.SentenceEncoder(backbone, **arguments)
    with pytest.raises(BertEmbedError, match="with a `preprocessor`"):
        tasks.SentenceEncoder(backbone).encode(["a"])
