"""What a stock TensorFlow Serving lacks is found in the graph."""

import pytest
import tensorflow as tf
import tensorflow_text as tf_text

from tf_bertembed.export.protos import message_class
from tf_bertembed.export.servability import graph_ops, servability_problems


@pytest.fixture
def meta_graph(tmp_path):
    def save(function):
        module = tf.Module()
        module.weight = tf.Variable(2.0)
        spec = tf.TensorSpec([None], tf.string, name="text")
        module.serve = tf.function(
            lambda text: {"output": function(text, module.weight)}, input_signature=[spec]
        )
        tf.saved_model.save(module, str(tmp_path / "model"), {"serving_default": module.serve})
        data = (tmp_path / "model" / "saved_model.pb").read_bytes()
        return message_class("SavedModel").FromString(data).meta_graphs[0]

    return save


def length(text):
    return tf.strings.length(text)


def test_a_plain_graph_has_no_problems(meta_graph):
    graph = meta_graph(lambda text, weight: tf.cast(length(text), tf.float32) * weight)
    assert servability_problems(graph) == []
    ops = graph_ops(graph)
    assert {"StringLength", "Cast", "Mul", "VarHandleOp"} <= set(ops)
    assert ops == sorted(set(ops))
    assert not any(op.startswith("__inference") for op in ops)


def test_round_robin_trim_is_lacking(meta_graph):
    def trim(text, weight):
        split = tf.strings.split(text)
        first, _ = tf_text.RoundRobinTrimmer(max_seq_length=4).trim([split, split])
        return first.row_lengths()

    assert servability_problems(meta_graph(trim)) == [
        "TensorFlow Serving 2.19 lacks the op 'TFText>RoundRobinTrim'."
    ]


def test_a_jitted_function_is_found(meta_graph):
    @tf.function(jit_compile=True)
    def scale(number, weight):
        return tf.cast(number, tf.float32) * weight

    problems = servability_problems(meta_graph(lambda text, w: scale(length(text), w)))
    assert problems
    assert all("compiled by XLA" in problem for problem in problems)


def test_a_custom_gradient_that_is_not_saved_is_found(meta_graph):
    @tf.custom_gradient
    def through(x):
        return tf.round(x), lambda upstream: upstream

    graph = meta_graph(lambda text, weight: through(tf.cast(length(text), tf.float32) * weight))
    assert any("custom gradients that are not saved" in p for p in servability_problems(graph))
