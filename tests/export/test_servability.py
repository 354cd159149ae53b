"""What a stock TensorFlow Serving lacks is found in the graph."""

import re

import pytest
import tensorflow as tf
import tensorflow_text as tf_text
from tensorflow.python.framework import op_def_registry

from tf_bertembed.export.protos import message_class
from tf_bertembed.export.servability import (
    OP_LISTS,
    SERVERS,
    graph_ops,
    servability_problems,
    served_ops,
)


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

    (problem,) = servability_problems(meta_graph(trim))
    assert re.fullmatch(
        r"TensorFlow Serving 2\.19 and 2\.20 lack the op 'TFText>RoundRobinTrim', "
        r"as in the node '.*RoundRobinTrim' of the function '__inference_.*'\.",
        problem,
    )


def test_an_op_of_a_later_tensorflow_names_the_servers_that_lack_it(meta_graph):
    graph = meta_graph(lambda text, weight: tf.map_fn(tf.io.decode_image, text, tf.uint8))
    assert servability_problems(graph) == []
    node = graph.graph_def.node.add(name="picture", op="DecodeWebP")
    assert servability_problems(graph) == [
        "TensorFlow Serving 2.19 lacks the op 'DecodeWebP', "
        "as in the node 'picture' of the main graph."
    ]
    node.op = "SortedByNobody"
    assert servability_problems(graph) == [
        "TensorFlow Serving 2.19 and 2.20 lack the op 'SortedByNobody', "
        "as in the node 'picture' of the main graph."
    ]


def test_an_attribute_of_a_later_tensorflow_is_lacking(meta_graph):
    graph = meta_graph(lambda text, weight: length(text))
    node = next(
        node
        for function in graph.graph_def.library.function
        for node in function.node_def
        if node.op == "StringLength"
    )
    node.attr["_annotation"].b = True
    assert servability_problems(graph) == []
    node.attr["of_tomorrow"].b = True
    (problem,) = servability_problems(graph)
    assert problem.startswith(
        "TensorFlow Serving 2.19 and 2.20 lack 'of_tomorrow' of the op 'StringLength', as in "
    )


@pytest.mark.parametrize("version", SERVERS)
def test_the_lists_hold_what_serving_links(version):
    ops = served_ops(version)
    counts = re.findall(
        r"^# tensorflow\S* \S+: (\d+) ops$",
        (OP_LISTS / f"tensorflow_serving_{version}.txt").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert sum(map(int, counts)) == len(ops)
    # Served models run these: matrix products, tables, ragged texts, Text's tokenizer.
    assert {"T", "transpose_a", "transpose_b"} <= ops["MatMul"]
    assert {"VarHandleOp", "HashTableV2", "RaggedGather", "StatefulPartitionedCall"} <= ops.keys()
    assert {"FastBertNormalize", "FastWordpieceTokenizeWithOffsets", "RegexSplitWithOffsets"} <= (
        ops.keys()
    )
    # Known to a wheel of TensorFlow, but without a kernel for the CPU, or of no use to a server.
    assert not {"CudnnRNN", "XlaLaunch", "TPUExecute", "_MklMatMul"} & ops.keys()
    assert not {op for op in ops if "RoundRobin" in op or "Utf8Binarize" in op}


@pytest.mark.parametrize("version", SERVERS)
def test_the_installed_tensorflow_knows_all_that_is_on_a_list(version):
    for op, attributes in served_ops(version).items():
        known = op_def_registry.get(op)
        assert known is not None, op
        assert attributes <= {attribute.name for attribute in known.attr}, op


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
