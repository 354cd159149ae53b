"""Preprocessing is traced once for all calls of a task, and anew where it has changed."""

import numpy as np
import pytest

from tf_bertembed import tasks, text


@pytest.fixture
def counted(make_backbone, tokenizer, monkeypatch):
    """A classifier with a preprocessor of its own, and how often that was traced."""
    classifier = tasks.TextClassifier(make_backbone(), 2, text.Preprocessor(tokenizer, 24))
    traces = []
    features = text.Preprocessor._features

    def counting(self, texts):
        traces.append(len(texts))
        return features(self, texts)

    monkeypatch.setattr(text.Preprocessor, "_features", counting)
    classifier.preprocessor._run._function = lambda texts: counting(classifier.preprocessor, texts)
    return classifier, traces


def test_datasets_share_one_graph_of_the_preprocessing(counted):
    classifier, traces = counted
    first = classifier.predict(["a fine film", "dull"], verbose=0)
    again = classifier.predict(["a fine film", "dull"], verbose=0)
    assert len(traces) == 1
    np.testing.assert_array_equal(first, again)
    classifier.predict((["a fine film"], ["dull"]), verbose=0)
    assert traces == [1, 2]


def test_a_change_of_the_preprocessor_is_seen(counted):
    classifier, traces = counted
    texts = ["a fine film that goes on for long"]
    whole = classifier.predict(texts, verbose=0)
    classifier.preprocessor.sequence_length = 4
    cut = classifier.predict(texts, verbose=0)
    assert len(traces) == 2
    assert np.abs(whole - cut).max() > 1e-6
    expected = classifier(classifier.preprocessor(texts)).numpy()
    np.testing.assert_allclose(cut, expected, rtol=1e-5, atol=1e-6)
