"""`tensorflow.serving.PredictionService`.

Reference: tensorflow_serving/apis/prediction_service.proto and
tensorflow_serving/servables/tensorflow/{predict_util,classifier,regressor,
multi_inference,get_model_metadata_impl}.cc.
"""

from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    inference_pb2,
    model_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from tf_bertembed.export.signature_checks import CLASSIFY_METHOD, REGRESS_METHOD
from tf_bertembed.serving.answer_writing import AnswerWriting
from tf_bertembed.serving.errors import ServingError
from tf_bertembed.serving.example_methods import classify, regress
from tf_bertembed.serving.grpc_services.answering import answered
from tf_bertembed.serving.grpc_services.examples import serialized_examples
from tf_bertembed.serving.grpc_services.model_spec import choice, fill_spec, require_spec
from tf_bertembed.serving.grpc_services.tensors import fill_proto, to_array
from tf_bertembed.serving.loaded_model import DEFAULT_SIGNATURE

SIGNATURES = "signature_def"


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Answers predict, classify, regress and metadata requests.

    Args:
        store: `ModelStore`.
        statistics: `Statistics`.
        log_texts: bool. Whether requests are logged with what they hold.
        limits: `Limits`. The most rows of a request, and values of an answer.
    """

    def __init__(self, store, statistics, log_texts, limits):
        self._store, self._limits = store, limits
        self._writing = AnswerWriting(limits.answer_values)
        self.statistics, self.log_texts = statistics, log_texts

    @answered("predict")
    def Predict(self, request, context):
        spec = require_spec(request)
        with self._store.use(**choice(spec)) as model:
            name = spec.signature_name or DEFAULT_SIGNATURE
            inputs = {
                key: to_array(key, value, self._limits.rows)
                for key, value in request.inputs.items()
            }
            signature = model.signature(name)
            model.check(name, inputs)
            wanted = _wanted(request.output_filter, signature.outputs)
            answers = model.run(name, inputs, context.time_remaining(), wanted)
            response = predict_pb2.PredictResponse()
            with self._writing.of(answers.values()):
                for key, array in answers.items():
                    fill_proto(response.outputs[key], array, signature.outputs[key])
            fill_spec(response.model_spec, spec, model.version)
        return response

    @answered("classify")
    def Classify(self, request, context):
        response = classification_pb2.ClassificationResponse()
        return self._infer(self._classify, request, context, response)

    @answered("regress")
    def Regress(self, request, context):
        response = regression_pb2.RegressionResponse()
        return self._infer(self._regress, request, context, response)

    @answered("multi_inference")
    def MultiInference(self, request, context):
        response = inference_pb2.MultiInferenceResponse()
        spec = request.tasks[0].model_spec if request.tasks else model_pb2.ModelSpec()
        with self._store.use(**choice(spec)) as model:
            _check_tasks(model, request.tasks)
            for task in request.tasks:
                result = response.results.add()
                if task.method_name == CLASSIFY_METHOD:
                    answer, method = result.classification_result, self._classify
                else:
                    answer, method = result.regression_result, self._regress
                method(model, task.model_spec, request.input, context, answer)
                fill_spec(result.model_spec, task.model_spec, model.version)
        return response

    @answered("metadata")
    def GetModelMetadata(self, request, context):
        spec = require_spec(request)
        if not request.metadata_field:
            raise ServingError(
                "INVALID_ARGUMENT",
                "GetModelMetadataRequest must specify at least one metadata_field",
            )
        for field in request.metadata_field:
            if field != SIGNATURES:
                # The "%s" is theirs.
                raise ServingError("INVALID_ARGUMENT", f"Metadata field %s is not supported{field}")
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        signatures = get_model_metadata_pb2.SignatureDefMap()
        with self._store.use(**choice(spec)) as model:
            for name, definition in model.meta_graph.signature_def.items():
                signatures.signature_def[name].CopyFrom(definition)
            response.model_spec.name = model.name
            response.model_spec.version.value = model.version
        response.metadata[SIGNATURES].Pack(signatures)
        return response

    def _infer(self, method, request, context, response):
        spec = require_spec(request)
        with self._store.use(**choice(spec)) as model:
            method(model, spec, request.input, context, response.result)
            fill_spec(response.model_spec, spec, model.version)
        return response

    def _classify(self, model, spec, message, context, result):
        examples = serialized_examples(message, self._limits.rows)
        classes, scores = classify(model, spec.signature_name, examples, context.time_remaining())
        rows, columns = (scores if classes is None else classes).shape
        with self._writing.of([classes, scores]):
            for row in range(rows):
                answer = result.classifications.add()
                for column in range(columns):
                    label = b"" if classes is None else classes[row, column]
                    score = 0.0 if scores is None else float(scores[row, column])
                    answer.classes.add(label=label.decode("utf-8", "replace"), score=score)

    def _regress(self, model, spec, message, context, result):
        examples = serialized_examples(message, self._limits.rows)
        values = regress(model, spec.signature_name, examples, context.time_remaining())
        with self._writing.of([values]):
            for value in values:
                result.regressions.add(value=float(value))


def _wanted(output_filter, outputs):
    for place, name in enumerate(output_filter):
        if name not in outputs:
            raise ServingError(
                "INVALID_ARGUMENT",
                f"output tensor alias not found in signature: {name} Outputs expected to be in "
                f"the set {{{','.join(sorted(outputs))}}}.",
            )
        if name in output_filter[:place]:
            raise ServingError("INVALID_ARGUMENT", f"duplicate output tensor alias: {name}")
    # Sorted, so that requests for the same outputs can share a batch.
    return sorted(output_filter) or None


def _check_tasks(model, tasks):
    seen, first = set(), None
    for task in tasks:
        if task.model_spec.name != model.name:
            raise ServingError(
                "INVALID_ARGUMENT",
                "All ModelSpecs in a MultiInferenceRequest must access the same model name.",
            )
        name = task.model_spec.signature_name or DEFAULT_SIGNATURE
        if name in seen:
            raise ServingError("INVALID_ARGUMENT", f"Duplicate evaluation of signature: {name}")
        seen.add(name)
        if name not in model.signatures:
            raise ServingError(
                "INVALID_ARGUMENT", f"Requested signature not found in model graph: {name}"
            )
        if task.method_name not in (CLASSIFY_METHOD, REGRESS_METHOD):
            raise ServingError(
                "UNIMPLEMENTED", f"Unsupported signature method_name: {task.method_name}"
            )
        inputs = sorted(spec.tensor_name for spec in model.signatures[name].inputs.values())
        if first not in (None, inputs):
            raise ServingError(
                "INVALID_ARGUMENT", "Input tensor must be the same for all Signatures."
            )
        first = inputs
