"""The gRPC server with all its services."""

import concurrent.futures

import grpc
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from tf_bertembed.serving.grpc_services.budget import ByteBudget
from tf_bertembed.serving.grpc_services.health import health_handler
from tf_bertembed.serving.grpc_services.model_service import ModelService
from tf_bertembed.serving.grpc_services.prediction_service import PredictionService
from tf_bertembed.serving.ports import address, taken

# Each request that waits for its batch holds a thread; more wait for a thread, and
# what comes on top is refused.
THREADS = 64
MOST_REQUESTS = 512


def make_grpc_server(store, statistics, log_texts, host, port, limits):
    """Make the server and take its port; it answers once it is started.

    Args:
        store: `ModelStore`.
        statistics: `Statistics`.
        log_texts: bool. Whether requests are logged with what they hold.
        host: string. The address to listen at.
        port: int. 0 for any free port.
        limits: `rest.Limits`. The bytes of a message, and of all at a time,
            the rows of a request and the values of an answer are bounded as
            those of the REST API.

    Returns:
        A pair of the `grpc.Server` and the port that was taken.

    Raises:
        BertEmbedError: where the port cannot be taken.
    """
    server = grpc.server(
        concurrent.futures.ThreadPoolExecutor(THREADS, thread_name_prefix="grpc"),
        maximum_concurrent_rpcs=MOST_REQUESTS,
        interceptors=[ByteBudget(limits.buffered_bytes)],
        options=[
            ("grpc.max_receive_message_length", limits.body_bytes),
            ("grpc.max_send_message_length", -1),
            # Otherwise two servers share a port, and each gets some of the requests.
            ("grpc.so_reuseport", 0),
        ],
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(store, statistics, log_texts, limits), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(
        ModelService(store, statistics), server
    )
    server.add_generic_rpc_handlers((health_handler(store.ready),))
    try:
        return server, server.add_insecure_port(address(host, port))
    except RuntimeError as error:
        raise taken(host, port, "It may be in use already.") from error
