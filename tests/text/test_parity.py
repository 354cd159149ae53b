"""The whole of the data sets against the package `tokenizers`."""

import importlib.util
import os
from pathlib import Path

import pytest

DATA = os.environ.get("TF_BERTEMBED_DATA")
BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "tokenizer_parity.py"


@pytest.mark.slow
@pytest.mark.skipif(not DATA, reason="TF_BERTEMBED_DATA names no folder of development data")
def test_no_text_differs():
    spec = importlib.util.spec_from_file_location("tokenizer_parity", BENCHMARK)
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    found = {
        (vocabulary, data_set): (count, len(differing))
        for vocabulary, data_set, count, differing, _ in benchmark.compare(Path(DATA))
    }
    counts = {"sst2": 9602, "stsb-en": 15457, "xquad-en": 1427, "xquad-zh": 1421}
    counts["chnsenticorp"] = 9906
    vocabularies = ("google_uncased_en", "google_cased_en", "google_zh")
    assert found == {(v, name): (count, 0) for v in vocabularies for name, count in counts.items()}
