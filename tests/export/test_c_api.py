"""Strings through TensorFlow's C library."""

import gc
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tf_bertembed.common import BertEmbedError, FileFormatError, MissingFileError
from tf_bertembed.export import CApiModel
from tf_bertembed.export.c_library import CallError, checked, load, one_line


class Shapes(tf.Module):
    """Every type and some shapes of outputs, computed from strings."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def __call__(self, text):
        length = tf.strings.length(text)
        types = (
            *(tf.float16, tf.float32, tf.float64, tf.bool),
            *(tf.int8, tf.int16, tf.int32, tf.int64, tf.uint8, tf.uint16, tf.uint32, tf.uint64),
        )
        numbers = {kind.name: tf.cast(length, kind) for kind in types}
        twice = tf.stack([text, tf.strings.upper(text)], axis=1)
        return {"echo": text, "twice": twice, "cube": tf.zeros([1, 0, 3]), **numbers}


class Number(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="number")])
    def __call__(self, number):
        return {"half": tf.cast(number, tf.bfloat16)}


class Bfloat16(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def __call__(self, text):
        return {"length": tf.cast(tf.strings.length(text), tf.bfloat16)}


class Fails(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def __call__(self, text):
        return {"number": tf.strings.to_number(text)}


@pytest.fixture
def saved(tmp_path):
    def save(module):
        path = tmp_path / type(module).__name__
        tf.saved_model.save(module, str(path), {"serving_default": module.__call__})
        return path

    return save


def test_an_answer_that_is_not_utf8(saved):
    with (
        CApiModel(saved(Shapes())) as model,
        pytest.raises(BertEmbedError, match=r"must be UTF-8\. Received: b'\\xff' in .* 'echo'"),
    ):
        model.run({"text": [b"\xff"]})


def test_strings_and_numbers_of_all_types_come_back(saved):
    texts = ["", "a", "Café 我住 🙂", "x" * 100_000, "with\x00nul"]
    lengths = [len(text.encode()) for text in texts]
    with CApiModel(saved(Shapes())) as model:
        outputs = model.run({"text": texts})
    assert outputs.pop("echo").tolist() == texts
    assert outputs.pop("twice")[1].tolist() == ["a", "A"]
    assert outputs.pop("cube").shape == (1, 0, 3)
    assert len(outputs) == 12
    for name, array in outputs.items():
        assert array.dtype.name == name
        np.testing.assert_array_equal(array, tf.cast(lengths, name).numpy())
        assert array.flags.writeable


def test_no_text_gives_empty_outputs(saved):
    with CApiModel(saved(Shapes())) as model:
        outputs = model.run({"text": []})
    assert outputs["echo"].shape == (0,)
    assert outputs["twice"].shape == (0, 2)
    assert outputs["float32"].shape == (0,)


def test_answers_as_python_tensorflow_does(exported):
    texts = ["Café naïve.", "我住", "good film", ""]
    expected = tf.saved_model.load(exported).signatures["serving_default"](tf.constant(texts))
    with CApiModel(exported) as model:
        assert model.signatures == {
            "serving_default": (("text",), ("label", "probabilities", "row")),
            "embed": (("text",), ("embedding",)),
        }
        assert model.tensorflow == tf.version.VERSION
        outputs = model.run({"text": texts})
    assert outputs["row"].tolist() == [0, 0, 0, 0]
    np.testing.assert_allclose(
        outputs["probabilities"], expected["probabilities"].numpy(), rtol=1e-6
    )
    labels = [label.decode() for label in expected["label"].numpy()]
    assert outputs["label"].tolist() == labels


def test_runs_without_python_tensorflow(exported):
    program = (
        "import sys\n"
        "from tf_bertembed.export import CApiModel\n"
        "with CApiModel(sys.argv[1]) as model:\n"
        "    print(model.run({'text': ['café', '我']})['row'].tolist())\n"
        "print('tensorflow' in sys.modules, 'keras' in sys.modules)\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", program, str(exported)],
        env={"PYTHONPATH": ":".join(filter(None, sys.path)), "TF_CPP_MIN_LOG_LEVEL": "2"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert output.splitlines() == ["[1, 2]", "False False"]


def test_many_runs_keep_no_memory(saved):
    import resource

    def peak():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    texts = ["x" * 1_000_000] * 4
    with CApiModel(saved(Shapes())) as model:
        for _ in range(3):
            model.run({"text": texts})
        before = peak()
        for _ in range(30):
            model.run({"text": texts})
    # What 30 runs copied in is 120 MB, and likewise what they copied out.
    assert peak() - before < 60_000


def test_a_model_that_is_dropped_is_closed(exported):
    model = CApiModel(exported)
    close = model._close
    del model
    gc.collect()
    assert not close.alive


def test_a_closed_model_says_so(exported):
    model = CApiModel(exported)
    model.close()
    model.close()
    with pytest.raises(BertEmbedError, match="the model is closed"):
        model.run({"text": ["a"]})


def test_wrong_signatures_and_inputs(exported, saved):
    with CApiModel(exported) as model:
        with pytest.raises(BertEmbedError, match=r"signatures embed, serving_default.*'classify'"):
            model.run({"text": ["a"]}, "classify")
        with pytest.raises(BertEmbedError, match=r"takes text. Received: nothing"):
            model.run({})
        with pytest.raises(BertEmbedError, match=r"takes text. Received: text_a, text_b"):
            model.run({"text_a": ["a"], "text_b": ["b"]})
        with pytest.raises(BertEmbedError, match=r"must be a list of strings. Received: 'one'"):
            model.run({"text": "one"})
        with pytest.raises(BertEmbedError, match=r"must be a list of strings. Received: \[1\]"):
            model.run({"text": [1]})
        assert model.only_input("embed") == "text"
    with (
        CApiModel(saved(Number())) as model,
        pytest.raises(BertEmbedError, match="'number' of 'serving_default' takes no strings"),
    ):
        model.run({"number": ["1"]})


def test_an_output_that_numpy_lacks(saved):
    with (
        CApiModel(saved(Bfloat16())) as model,
        pytest.raises(BertEmbedError, match="TensorFlow's data type 14"),
    ):
        model.run({"text": ["a"]})


def test_what_tensorflow_refuses_is_told(saved):
    with CApiModel(saved(Fails())) as model:
        assert model.run({"text": ["1.5"]})["number"].tolist() == [1.5]
        with pytest.raises(BertEmbedError, match="could not correctly convert string: two"):
            model.run({"text": ["two"]})
        assert model.run({"text": ["2.5"]})["number"].tolist() == [2.5]


def test_texts_of_unequal_number(tiny_pair_task, tmp_path):
    from tf_bertembed import export

    path = export.export_saved_model(tiny_pair_task(), tmp_path / "pair")
    with CApiModel(path) as model:
        with pytest.raises(BertEmbedError, match="'embed' failed"):
            model.run({"text_a": ["a", "b"], "text_b": ["c"]}, "embed")
        with pytest.raises(BertEmbedError, match="takes text_a, text_b: give a dict"):
            model.only_input("embed")


def test_missing_folder(tmp_path):
    with pytest.raises(MissingFileError, match=r"nothing does not exist\. A folder NAME/VERSION"):
        CApiModel(tmp_path / "nothing")


def test_a_file(tmp_path):
    (tmp_path / "file").write_text("text")
    with pytest.raises(FileFormatError, match="this is a file"):
        CApiModel(tmp_path / "file")


def test_a_folder_of_versions_names_the_latest(copied):
    (copied.parent / "10").symlink_to(copied)
    with pytest.raises(FileFormatError, match=r"no saved_model.pb. Give the version too.*tiny/10"):
        CApiModel(copied.parent)


def test_another_folder(tmp_path):
    with pytest.raises(FileFormatError, match=r"no saved_model.pb. Make one with"):
        CApiModel(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not a protobuf at all"])
def test_a_damaged_graph(copied, content):
    (copied / "saved_model.pb").write_bytes(content)
    with pytest.raises(FileFormatError, match="TensorFlow cannot load this SavedModel"):
        CApiModel(copied)


def test_missing_weights(copied):
    next((copied / "variables").glob("*.data*")).unlink()
    with pytest.raises(FileFormatError, match="TensorFlow cannot load this SavedModel"):
        CApiModel(copied)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("no string: two\n\t [[{{node StringToNumber}}]]", "no string: two"),
        ("{{function_node __inference_f_1}} a\n\t [[{{node b}}{{node c/d}}]]\n\t [[e/f_1]]", "a"),
        ("text [[ 1 ]] {x}", "text [[ 1 ]] {x}"),
    ],
)
def test_what_tensorflow_says_is_one_line(message, told):
    assert one_line(message) == told


def test_a_failed_call_frees_its_status_and_tells():
    library = load()
    with pytest.raises(CallError, match="no_such_library"), checked(library) as status:
        library.TF_LoadLibrary(b"/no_such_library.so", status)
