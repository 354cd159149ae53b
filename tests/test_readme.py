"""The README's Python, run from its first block to its last."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from gensim.test.utils import datapath

from tf_bertembed import serving
from tf_bertembed.serving.model_config import ModelConfig
from tf_bertembed.serving.model_store import ModelStore

README = Path(__file__).parents[1] / "README.md"


def _run(block, names):
    exec(compile(block, str(README), "exec"), names)


def _run_beside_a_server(block, names):
    """What the page starts by a command of its own, at another port."""
    store = ModelStore([ModelConfig("mine", "saved_models/mine")])
    with serving.Server(store, rest_port=0, grpc_port=0) as server:
        assert "http://127.0.0.1:8501" in block
        _run(block.replace("http://127.0.0.1:8501", server.addresses()["rest"]), names)


@pytest.mark.slow
def test_every_block_runs_after_those_before_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(datapath("test_glove.txt"), "glove.6B.50d.txt")
    names = {"texts": ["A good film.", "A bad film."] * 2, "labels": ["yes", "no"] * 2}
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 11
    for block in blocks:
        (_run_beside_a_server if "serving.Client" in block else _run)(block, names)
    assert names["classifier"].predict(["A film."], verbose=0).shape == (1, 2)
    assert names["backbone"].compute_dtype == "float16"
    np.testing.assert_allclose(np.linalg.norm(names["found"], axis=1), np.ones(4), atol=1e-5)
    assert names["tagger"].answer(["🙂 Ada"])[0]["starts"] == [0, 2]
    assert names["answerer"].score(names["examples"])["f1"] > 0.9
    assert names["rows"].shape == (4, 384)
    assert (tmp_path / "saved_models" / "tagger" / "1" / "saved_model.pb").exists()
    assert (names["predicted"] == names["search"].predict(names["reviews"])).all()
    assert names["search"].best_score_ > 0.65
    assert (tmp_path / "pipeline.joblib").stat().st_size < 200_000
    assert (tmp_path / "saved_models" / "mine" / "1" / "saved_model.pb").exists()
    assert set(names["answers"]["label"]) <= {"yes", "no"}
    assert np.isfinite(names["table"]).all()
