"""The imported weights, against an independent computation of the same weights."""

import numpy as np
import pytest

TOLERANCE = 1e-5


def difference(got, expected):
    """The largest difference over the largest magnitude."""
    got = np.asarray(got, "float64")
    return np.abs(got - expected).max() / np.abs(expected).max()


@pytest.fixture(scope="module")
def outputs(minilm, real_features):
    return minilm.with_outputs(hidden_states=True, attentions=True)(real_features)


@pytest.fixture(scope="module")
def expected(reference, real_features):
    names = ("token_ids", "segment_ids", "padding_mask")
    return reference(*(real_features[name] for name in names))


def test_the_batch_is_padded_and_has_both_segments(real_features):
    lengths = real_features["padding_mask"].sum(axis=1)
    assert lengths.min() < 20 < 60 < lengths.max()
    assert real_features["segment_ids"].any()


def test_hidden_states(outputs, expected, real_features):
    states, mask = expected[0], real_features["padding_mask"]
    assert len(outputs["hidden_states"]) == len(states) == 7
    for got, state in zip(outputs["hidden_states"], states, strict=True):
        assert difference(np.asarray(got)[mask], state[mask]) <= TOLERANCE


def test_attentions(outputs, expected, real_features):
    attentions, mask = expected[1], real_features["padding_mask"]
    assert len(outputs["attentions"]) == len(attentions) == 6
    for got, weights in zip(outputs["attentions"], attentions, strict=True):
        assert got.shape == weights.shape
        rows = np.broadcast_to(mask[:, None, :], weights.shape[:3])
        assert difference(np.asarray(got)[rows], weights[rows]) <= TOLERANCE


def test_pooled_output(outputs, expected):
    assert difference(outputs["pooled_output"], expected[2]) <= TOLERANCE


def test_sequence_output_is_the_last_state(minilm, real_features, outputs):
    plain = minilm(real_features)
    np.testing.assert_array_equal(plain["sequence_output"], outputs["hidden_states"][-1])
    np.testing.assert_array_equal(plain["pooled_output"], outputs["pooled_output"])


def test_the_comparison_sees_a_wrong_activation(minilm, real_features, expected):
    # The tanh approximation differs from the exact GELU by more than the tolerance.
    from tf_bertembed import models

    config = {**minilm.get_config(), "activation": "gelu_tanh"}
    wrong = models.BertEmbedBackbone.from_config(config)
    wrong.set_weights(minilm.get_weights())
    mask = real_features["padding_mask"]
    got = np.asarray(wrong(real_features)["sequence_output"])[mask]
    assert difference(got, expected[0][-1][mask]) > TOLERANCE
