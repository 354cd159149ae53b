"""`tensorflow.serving.ModelService`.

Reference: tensorflow_serving/model_servers/{get_model_status_impl,model_service_impl}.cc.
"""

import pathlib

import grpc
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
)

from tf_bertembed.serving.grpc_services.answering import answered
from tf_bertembed.serving.grpc_services.model_spec import require_spec, version_choice
from tf_bertembed.serving.model_config import from_proto


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """Tells how the versions of a model are, and takes another list of models.

    Args:
        store: `ModelStore`.
        statistics: `Statistics`.
    """

    log_texts = False  # these requests hold none

    def __init__(self, store, statistics):
        self._store, self.statistics = store, statistics

    @answered("status")
    def GetModelStatus(self, request, context):
        response = get_model_status_pb2.GetModelStatusResponse()
        for status in self._store.statuses(**version_choice(require_spec(request))):
            answer = response.model_version_status.add(version=status.version)
            answer.state = answer.State.Value(status.state)
            answer.status.error_code = grpc.StatusCode[status.error_code].value[0]
            answer.status.error_message = status.error_message
        return response

    @answered("reload")
    def HandleReloadConfigRequest(self, request, context):
        self._store.reload(from_proto(request.config, pathlib.Path.cwd()))
        response = model_management_pb2.ReloadConfigResponse()
        response.status.error_code = 0
        return response
