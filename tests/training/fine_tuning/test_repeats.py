"""Folds and the spread over them."""

import dataclasses

import numpy as np
import pytest

from tf_bertembed.common import BertEmbedError
from tf_bertembed.training.fine_tuning.repeats import cut_folds, mean_and_spread
from tf_bertembed.training.recipes import ClassificationRecipe, Examples


def test_folds_are_stratified_and_hold_out_each_row_once():
    labels = ["rare"] * 6 + ["often"] * 18
    rows = Examples(([f"text {place}" for place in range(24)],), labels)
    folds = cut_folds(ClassificationRecipe(), rows, 3, seed=0)
    assert sorted(t for _, held in folds for t in held.x) == sorted(rows.x)
    for kept, held in folds:
        assert held.targets.count("rare") == 2
        assert kept.targets.count("rare") == 4
        assert not set(kept.x) & set(held.x)
    assert folds != cut_folds(ClassificationRecipe(), rows, 3, seed=1)
    several = dataclasses.replace(rows, targets=[["a"], []] * 12)
    assert [len(held) for _, held in cut_folds(ClassificationRecipe(), several, 5, 0)] == [
        *(5, 5, 5, 5, 4)
    ]
    with pytest.raises(BertEmbedError, match=r"as many rows of each class. Received: 6 of 'rare'"):
        cut_folds(ClassificationRecipe(), rows, 7, seed=0)
    with pytest.raises(BertEmbedError, match=r"25 folds need as many rows. Received: 24"):
        cut_folds(ClassificationRecipe(), several, 25, seed=0)


def test_the_spread_is_that_of_a_sample():
    found = mean_and_spread([{"f1": 0.2}, {"f1": 0.4}, {"f1": 0.9}])
    assert found["mean"]["f1"] == pytest.approx(0.5)
    assert found["spread"]["f1"] == pytest.approx(np.std([0.2, 0.4, 0.9], ddof=1))
    assert mean_and_spread([{"f1": 0.2}])["spread"] == {"f1": 0.0}
