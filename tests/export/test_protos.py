"""The descriptors made at run time read what TensorFlow writes."""

import tensorflow as tf
from tensorflow.core.protobuf import config_pb2, saved_model_pb2

from tf_bertembed.export.protos import message_class


def test_reads_signatures_as_tensorflow_does(exported):
    data = (exported / "saved_model.pb").read_bytes()
    ours = message_class("SavedModel").FromString(data).meta_graphs[0]
    theirs = saved_model_pb2.SavedModel.FromString(data).meta_graphs[0]
    assert ours.signature_def.keys() == theirs.signature_def.keys()
    for name, signature in theirs.signature_def.items():
        for side in ("inputs", "outputs"):
            expected, actual = getattr(signature, side), getattr(ours.signature_def[name], side)
            assert {key: (info.name, info.dtype) for key, info in actual.items()} == {
                key: (info.name, info.dtype) for key, info in expected.items()
            }
            for key, info in expected.items():
                sizes = [dim.size for dim in actual[key].tensor_shape.dim]
                assert sizes == [dim.size for dim in info.tensor_shape.dim]


def test_reads_nodes_and_attributes_as_tensorflow_does():
    @tf.function(jit_compile=True)
    def jitted(x):
        return x + 1.0

    graph_def = jitted.get_concrete_function(tf.TensorSpec([], tf.float32)).graph.as_graph_def()
    ours = message_class("GraphDef").FromString(graph_def.SerializeToString())
    assert [(node.name, node.op) for node in ours.node] == [
        (node.name, node.op) for node in graph_def.node
    ]
    assert [set(node.attr) for node in ours.node] == [set(node.attr) for node in graph_def.node]


def test_writes_a_configuration_that_tensorflow_reads():
    config = message_class("ConfigProto")(device_count={"GPU": 0}, allow_soft_placement=True)
    expected = config_pb2.ConfigProto(device_count={"GPU": 0}, allow_soft_placement=True)
    assert config_pb2.ConfigProto.FromString(config.SerializeToString()) == expected
