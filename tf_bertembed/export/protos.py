"""TensorFlow's messages, as far as they are needed, without TensorFlow's Python.

The field numbers are those of tensorflow/core/protobuf/{saved_model,meta_graph,config}.proto,
tensorflow/core/framework/{graph,node_def,function,op_def,kernel_def,attr_value,tensor,
tensor_shape}.proto and tensorflow_serving/apis/{prediction_log,predict,classification,input,
model}.proto. Fields that are left out here are skipped by the parser.
"""

import functools

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "tf_bertembed.export"

# A type is a scalar of protobuf or a message of this table; a map is "K->V".
MESSAGES = {
    "SavedModel": {"meta_graphs": (2, "MetaGraphDef*")},
    "MetaInfoDef": {"tags": (4, "string*")},
    "MetaGraphDef": {
        "meta_info_def": (1, "MetaInfoDef"),
        "graph_def": (2, "GraphDef"),
        "signature_def": (5, "string->SignatureDef"),
    },
    "SignatureDef": {
        "inputs": (1, "string->TensorInfo"),
        "outputs": (2, "string->TensorInfo"),
        "method_name": (3, "string"),
    },
    "TensorInfo": {
        "name": (1, "string"),
        "dtype": (2, "int32"),
        "tensor_shape": (3, "TensorShapeProto"),
    },
    "TensorShapeProto": {"dim": (2, "Dim*"), "unknown_rank": (3, "bool")},
    "Dim": {"size": (1, "int64")},
    "GraphDef": {"node": (1, "NodeDef*"), "library": (2, "FunctionDefLibrary")},
    "FunctionDefLibrary": {"function": (1, "FunctionDef*")},
    "FunctionDef": {
        "signature": (1, "OpDef"),
        "node_def": (3, "NodeDef*"),
        "attr": (5, "string->AttrValue"),
    },
    "NodeDef": {
        "name": (1, "string"),
        "op": (2, "string"),
        "attr": (5, "string->AttrValue"),
    },
    "AttrValue": {"s": (2, "bytes"), "b": (5, "bool")},
    "OpDef": {"name": (1, "string"), "attr": (4, "AttrDef*")},
    "AttrDef": {"name": (1, "string")},
    "OpList": {"op": (1, "OpDef*")},
    "KernelDef": {"op": (1, "string"), "device_type": (2, "string")},
    "KernelList": {"kernel": (1, "KernelDef*")},
    "ConfigProto": {
        "device_count": (1, "string->int32"),
        "allow_soft_placement": (7, "bool"),
    },
    "TensorProto": {
        "dtype": (1, "int32"),
        "tensor_shape": (2, "TensorShapeProto"),
        "string_val": (8, "bytes*"),
    },
    "ModelSpec": {"signature_name": (3, "string")},
    "PredictRequest": {
        "model_spec": (1, "ModelSpec"),
        "inputs": (2, "string->TensorProto"),
    },
    "PredictLog": {"request": (1, "PredictRequest")},
    # Examples are handed on as they are: their bytes are what a signature takes.
    "ExampleList": {"examples": (1, "bytes*")},
    "Input": {"example_list": (1, "ExampleList")},
    "ClassificationRequest": {"model_spec": (1, "ModelSpec"), "input": (2, "Input")},
    "ClassifyLog": {"request": (1, "ClassificationRequest")},
    "PredictionLog": {
        "classify_log": (2, "ClassifyLog"),
        "regress_log": (3, "bytes"),
        "multi_inference_log": (4, "bytes"),
        "session_run_log": (5, "bytes"),
        "predict_log": (6, "PredictLog"),
        "predict_streamed_log": (7, "bytes"),
    },
}


def _set_type(field, kind):
    if kind in MESSAGES:
        field.type = field.TYPE_MESSAGE
        field.type_name = f".{PACKAGE}.{kind}"
    else:
        field.type = getattr(field, f"TYPE_{kind.upper()}")


def _add_field(message, name, number, kind):
    field = message.field.add(name=name, number=number, label=1)
    if "->" in kind:
        entry_name = "".join(part.title() for part in name.split("_")) + "Entry"
        entry = message.nested_type.add(name=entry_name)
        entry.options.map_entry = True
        for part, (entry_field, entry_kind) in enumerate(
            zip(("key", "value"), kind.split("->"), strict=True), start=1
        ):
            _add_field(entry, entry_field, part, entry_kind)
        field.label = field.LABEL_REPEATED
        field.type = field.TYPE_MESSAGE
        field.type_name = f".{PACKAGE}.{message.name}.{entry_name}"
        return
    if kind.endswith("*"):
        field.label = field.LABEL_REPEATED
    _set_type(field, kind.removesuffix("*"))


@functools.cache
def _pool():
    file = descriptor_pb2.FileDescriptorProto(
        name="tf_bertembed/export.proto", package=PACKAGE, syntax="proto3"
    )
    for message_name, fields in MESSAGES.items():
        message = file.message_type.add(name=message_name)
        for name, (number, kind) in fields.items():
            _add_field(message, name, number, kind)
    # A pool of its own: TensorFlow's, in the same process, stays untouched.
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return pool


def message_class(name):
    """The protobuf class of one message of `MESSAGES`.

    Args:
        name: string. The name of the message, for example `"MetaGraphDef"`.

    Returns:
        A protobuf message class.

    Example:

    ```python
    from tf_bertembed.export import protos

    config = protos.message_class("ConfigProto")(allow_soft_placement=True)
    assert config.SerializeToString() == b"\\x38\\x01"
    ```
    """
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"{PACKAGE}.{name}"))
