"""The published quality of a published model, from strings to vectors."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from tf_bertembed import text
from tf_bertembed.probe import BertEmbedTransformer


@pytest.mark.slow
def test_all_minilm_on_the_english_sts_benchmark(development_data):
    (first, second), scores = text.read_labelled(development_data / "stsb-en" / "test.tsv")
    assert len(scores) == 1379
    features = BertEmbedTransformer("all-minilm-l6-v2").fit([])
    a, b = (features.transform(texts).astype("float64") for texts in (first, second))
    cosine = (a * b).sum(-1) / (np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1))
    spearman = spearmanr(cosine, np.array(scores, float)).statistic
    print(f"STS-B English test: Spearman {spearman:.4f}")
    assert spearman >= 0.819
