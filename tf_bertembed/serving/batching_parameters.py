"""How requests are put together: TensorFlow Serving's `batching_parameters.txt`."""

import dataclasses
import functools
import logging

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, wrappers_pb2

from tf_bertembed.common import BertEmbedError, FileFormatError, require_file
from tf_bertembed.serving.model_config import parse_text

log = logging.getLogger(__name__)

# Fields of tensorflow_serving/servables/tensorflow/session_bundle_config.proto,
# which the package tensorflow-serving-api lacks.
FIELDS = {
    "max_batch_size": (1, "Int64Value"),
    "batch_timeout_micros": (2, "Int64Value"),
    "max_enqueued_batches": (3, "Int64Value"),
    "num_batch_threads": (4, "Int64Value"),
    "thread_pool_name": (5, "StringValue"),
    "allowed_batch_sizes": (6, "int64*"),
    "pad_variable_length_inputs": (7, "bool"),
    "enable_large_batch_splitting": (8, "BoolValue"),
    "max_execution_batch_size": (9, "Int64Value"),
}

READ = ("max_batch_size", "batch_timeout_micros", "max_enqueued_batches", "num_batch_threads")
WITHOUT_EFFECT = ("thread_pool_name", "allowed_batch_sizes", "pad_variable_length_inputs")


@dataclasses.dataclass(frozen=True)
class BatchingParameters:
    """How rows of requests are put together.

    Args:
        max_batch_size: int. The most rows of a batch; a request of more is
            split.
        batch_timeout_micros: int. How many microseconds a batch that is not
            full waits for more rows while a thread is free; `None` for a few
            thousand where other requests are about, and none for a lone one.
        max_enqueued_batches: int. How many batches may wait, for each
            signature of a version; more are refused.
        num_batch_threads: int. The batches that run at a time; `None` for
            one a core.
        most_rows: int. The most rows of a request; `None` for as many as may
            wait.
    """

    max_batch_size: int = 32
    batch_timeout_micros: int | None = None
    max_enqueued_batches: int = 128
    num_batch_threads: int | None = None
    most_rows: int | None = None

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            least = 0 if field.name == "batch_timeout_micros" else 1
            if value is not None and value < least:
                raise BertEmbedError(f"`{field.name}` must be at least {least}. Received: {value}.")


@functools.cache
def _message_class():
    file = descriptor_pb2.FileDescriptorProto(
        name="tf_bertembed/batching_parameters.proto",
        package="tf_bertembed.serving",
        syntax="proto3",
        dependency=[wrappers_pb2.DESCRIPTOR.name],
    )
    message = file.message_type.add(name="BatchingParameters")
    for name, (number, kind) in FIELDS.items():
        field = message.field.add(name=name, number=number, label=1)
        if kind.endswith("Value"):
            field.type, field.type_name = field.TYPE_MESSAGE, f".google.protobuf.{kind}"
        else:
            field.type = getattr(field, f"TYPE_{kind.removesuffix('*').upper()}")
        if kind.endswith("*"):
            field.label = field.LABEL_REPEATED
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName("tf_bertembed.serving.BatchingParameters")
    )


def read_batching_parameters(path):
    """Read TensorFlow Serving's `--batching_parameters_file`.

    Rows of a batch are not padded to `allowed_batch_sizes`, which is of use
    to accelerators alone; the log names fields that have no effect here.
    Where there is a `max_execution_batch_size`, `max_batch_size` is the most
    rows of a request.

    Args:
        path: string or `pathlib.Path`. A `BatchingParameters` in protobuf's
            text format.

    Returns:
        A `BatchingParameters`.

    Raises:
        MissingFileError: where there is nothing at `path`.
        FileFormatError: where the file is no such message, or a value cannot
            be used.
    """
    path = require_file(path, "BatchingParameters in protobuf's text format were expected.")
    message = _message_class()()
    parse_text(path, message)
    values = {name: getattr(message, name).value for name in READ if message.HasField(name)}
    if message.HasField("max_execution_batch_size"):
        # As there, the other one is then the bound of a request.
        values["most_rows"] = values.get("max_batch_size")
        values["max_batch_size"] = message.max_execution_batch_size.value
    passed_over = [field.name for field, _ in message.ListFields() if field.name in WITHOUT_EFFECT]
    splitting = message.enable_large_batch_splitting
    if message.HasField("enable_large_batch_splitting") and not splitting.value:
        passed_over.append("enable_large_batch_splitting: false")
    if passed_over:
        log.warning(
            "fields without effect in this server: " + ", ".join(passed_over),
            extra={"fields": {"file": str(path)}},
        )
    try:
        return BatchingParameters(**values)
    except BertEmbedError as error:
        raise FileFormatError(path, str(error)) from error
