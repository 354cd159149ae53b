import shutil

import pytest
import tensorflow as tf

from tf_bertembed.bulk.model_files import find_model
from tf_bertembed.common import BertEmbedError, FileFormatError, MissingFileError


def test_the_folder_of_a_version_and_of_all(saved_model):
    assert find_model(saved_model) == (str(saved_model), 8)
    assert find_model(str(saved_model.parent)) == (str(saved_model), 8)


def test_the_highest_complete_version_by_number(saved_model, tmp_path):
    for version in ("2", "10"):
        shutil.copytree(saved_model, tmp_path / version)
    (tmp_path / "11").mkdir()
    (tmp_path / "notes").mkdir()
    assert find_model(tmp_path) == (str(tmp_path / "10"), 8)


def test_a_path_as_tensorflow_reads_it(saved_model):
    folder, dimensions = find_model(f"file://{saved_model.parent}")
    assert (folder, dimensions) == (f"file://{saved_model}", 8)


def test_what_is_no_model(tmp_path):
    with pytest.raises(MissingFileError, match=r"nowhere does not exist.*exported model"):
        find_model(tmp_path / "nowhere")
    with pytest.raises(FileFormatError, match=r"no saved_model\.pb.*tf-bertembed export"):
        find_model(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"\xff\xff\xff")
    with pytest.raises(FileFormatError, match="damaged"):
        find_model(tmp_path)


def plain(x):
    return {"embedding": tf.zeros([tf.shape(x)[0], 4])}


@pytest.mark.parametrize(
    ("name", "argument", "dtype", "answer", "problem"),
    [
        ("other", "text", tf.string, plain, "there is none. Received: other"),
        ("embed", "words", tf.string, plain, "it takes words"),
        ("embed", "text", tf.int32, plain, "it takes text"),
        ("embed", "text", tf.string, lambda x: {"vector": x}, r"it answers vector"),
        (
            "embed",
            "text",
            tf.string,
            lambda x: {"embedding": tf.zeros([tf.shape(x)[0], tf.size(x)])},
            r"of the shape \[None, None\]",
        ),
    ],
    ids=["name", "input", "type", "output", "width"],
)
def test_another_signature(name, argument, dtype, answer, problem, tmp_path):
    module = tf.Module()
    module.answer = tf.function(answer)
    spec = tf.TensorSpec([None], dtype, name=argument)
    signatures = {name: module.answer.get_concrete_function(spec)}
    tf.saved_model.save(module, str(tmp_path), signatures=signatures)
    with pytest.raises(BertEmbedError, match=rf"needs a signature `embed`.*{problem}"):
        find_model(tmp_path)
