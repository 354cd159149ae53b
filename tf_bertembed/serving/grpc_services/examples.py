"""The examples of a request to classify, serialized one by one."""

import numpy as np

from tf_bertembed.serving.errors import ServingError
from tf_bertembed.serving.grpc_services.tensors import check_rows


def serialized_examples(message, most_rows=None):
    """Serialize the examples of an `Input`, each with the shared context.

    Args:
        message: `tensorflow_serving.apis.input_pb2.Input`.
        most_rows: int. The most examples; `None` for no limit.

    Returns:
        An array `[B]` of bytes.

    Raises:
        ServingError: INVALID_ARGUMENT where there is no example, or too many.
    """
    kind = message.WhichOneof("kind")
    examples, context = (), b""
    if kind == "example_list":
        examples = message.example_list.examples
    elif kind == "example_list_with_context":
        examples = message.example_list_with_context.examples
        # Messages that follow one another in bytes are merged by the parser.
        context = message.example_list_with_context.context.SerializeToString()
    if not examples:
        raise ServingError("INVALID_ARGUMENT", "Input is empty.")
    check_rows(len(examples), most_rows)
    serialized = np.empty(len(examples), object)
    serialized[:] = [context + example.SerializeToString() for example in examples]
    return serialized
