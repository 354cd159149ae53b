"""Labels of words as arrays, and texts that have none."""

import numpy as np
import pytest

from tf_bertembed import tasks, text
from tf_bertembed.common import BertEmbedError

LABELS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


def test_padded_numbers_of_tags_train_in_batches_of_any_width(make_backbone, tokenizer):
    words, numbers = [["a", "good", "film"], ["dull"]], np.array([[0, 1, 2], [4, -1, -1]])
    preprocessor = text.TaggingPreprocessor(tokenizer, 24)
    tagger = tasks.TokenClassifier(make_backbone(), LABELS, preprocessor)
    tagger.compile("sgd", run_eagerly=True)
    (loss,) = tagger.fit(words, numbers, batch_size=2, verbose=0).history["loss"]
    expected = tagger.evaluate(words, [[0, 1, 2], [4]], batch_size=1, verbose=0, return_dict=True)
    found = tagger.evaluate(words, numbers, batch_size=1, verbose=0, return_dict=True)
    assert found == expected
    assert np.isfinite(loss)
    tagger.fit(words, numbers, batch_size=1, class_weight="balanced", verbose=0)
    with pytest.raises(BertEmbedError, match=r"One tag for each word.*3 words and 2 tags"):
        tagger.fit(words, np.array([[0, 1, -1], [4, -1, -1]]), verbose=0)


def test_texts_are_not_tagged_without_a_preprocessor(make_backbone):
    with pytest.raises(BertEmbedError, match="by a task with a `preprocessor`"):
        tasks.TokenClassifier(make_backbone(), LABELS).answer(["a film"])
