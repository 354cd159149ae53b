import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tf_bertembed
from tf_bertembed import bulk
from tf_bertembed.common import BertEmbedError


def test_vectors_as_the_transformer_has_them(saved_model, texts, expected):
    predict = bulk.spark_predictor(saved_model)()
    answer = predict(np.array(texts, dtype=object))
    assert list(answer) == ["embedding", "error"]
    np.testing.assert_allclose(answer["embedding"], expected, atol=1e-6, rtol=0)
    assert set(answer["error"]) == {None}


def test_what_fails_is_told_beside_the_others(bad_text, fragile_model):
    predict = bulk.spark_predictor(fragile_model)()
    answer = predict(np.array(["abc", None, bad_text, float("nan")], dtype=object))
    assert answer["embedding"][0].tolist() == [3, -3]
    assert np.isnan(answer["embedding"][1:]).all()
    first, null, bad, missing = answer["error"]
    assert first is None
    assert null == missing == "A string was expected. Received: a NoneType."
    assert "this text is too much" in bad


def test_settings_are_checked_where_the_job_is_written():
    with pytest.raises(BertEmbedError, match="`streams` must be an int of at least 1"):
        bulk.spark_predictor("somewhere", streams=0)


def test_making_it_needs_neither_spark_nor_tensorflow():
    script = (
        "import sys\nfrom tf_bertembed import bulk\nbulk.spark_predictor('somewhere')\n"
        "assert not {'pyspark', 'tensorflow', 'apache_beam'} & set(sys.modules)"
    )
    root = Path(tf_bertembed.__file__).parent.parent
    subprocess.run([sys.executable, "-c", script], cwd=root, check=True)


@pytest.fixture
def spark(monkeypatch, tmp_path):
    pytest.importorskip("pyspark", reason="pyspark is not installed")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("there is no Java: Spark needs one")
    from pyspark.sql import SparkSession

    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setenv("PYTHONPATH", str(Path(tf_bertembed.__file__).parent.parent))
    monkeypatch.chdir(tmp_path)
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    yield session
    session.stop()


@pytest.mark.slow
def test_on_local_spark(spark, saved_model, texts, expected):
    from pyspark.ml.functions import predict_batch_udf
    from pyspark.sql.types import ArrayType, FloatType, StringType, StructType

    returned = StructType().add("embedding", ArrayType(FloatType())).add("error", StringType())
    embed = predict_batch_udf(
        bulk.spark_predictor(saved_model), return_type=returned, batch_size=16
    )
    rows = [*enumerate(texts), (len(texts), None)]
    frame = spark.createDataFrame(rows, "id long, text string").repartition(2)
    found = {
        row.id: row.found for row in frame.select("id", embed("text").alias("found")).collect()
    }
    assert sorted(found) == list(range(len(texts) + 1))
    got = np.array([found[number].embedding for number in range(len(texts))])
    np.testing.assert_allclose(got, expected, atol=1e-6, rtol=0)
    assert {found[number].error for number in range(len(texts))} == {None}
    assert found[len(texts)].error == "A string was expected. Received: a NoneType."
