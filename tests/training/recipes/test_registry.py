import shutil

import pytest

from tf_bertembed import models, tasks
from tf_bertembed.common import FileFormatError
from tf_bertembed.training import recipes


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    tasks.TextClassifier(models.BertEmbedBackbone(9, 1, 2, 8, 16), 2).save_to_preset(folder)
    return folder


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", b"{}"),
        ("config.json", None),
        ("model.weights.h5", None),
        ("model.weights.h5", b"\x89HDF"),
        ("task.weights.h5", b""),
        ("task.json", b'{"class_name": "TextClassifier"}'),
    ],
)
def test_a_run_that_is_broken(run, tmp_path, name, content):
    folder = shutil.copytree(run, tmp_path / "broken")
    (folder / name).unlink() if content is None else (folder / name).write_bytes(content)
    with pytest.raises(FileFormatError, match=r"broken.*: The RUN cannot be loaded: "):
        recipes.load_run(folder)
