"""Warm-up requests, read by the official protos and run by the exported model."""

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from tf_bertembed import export
from tf_bertembed.export.classify import to_examples
from tf_bertembed.export.prediction_log import classify_log, predict_log
from tf_bertembed.export.warmup import WARMUP

LIMIT = 1000  # of TensorFlow Serving, which then does not load the model


def read_logs(path):
    records = tf.data.TFRecordDataset(str(path / WARMUP))
    return [prediction_log_pb2.PredictionLog.FromString(r.numpy()) for r in records]


def test_a_request_of_predict_is_what_the_official_protos_write():
    columns = {"text_a": ["a", "我" * 60], "text_b": ["", "🙂"]}
    written = prediction_log_pb2.PredictionLog.FromString(predict_log("embed", columns))
    expected = prediction_log_pb2.PredictionLog()
    request = expected.predict_log.request
    request.model_spec.signature_name = "embed"
    for name, texts in columns.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(texts))
    assert written == expected


def test_a_request_of_classify_is_what_the_official_protos_write():
    examples = to_examples({"text": ["a", "我" * 60]})
    data = classify_log("classify", {"inputs": examples})
    expected = prediction_log_pb2.PredictionLog()
    request = expected.classify_log.request
    request.model_spec.signature_name = "classify"
    for example in examples:
        request.input.example_list.examples.add().ParseFromString(example)
    assert prediction_log_pb2.PredictionLog.FromString(data) == expected
    assert data == expected.SerializeToString()


def test_every_signature_is_warmed_up_in_every_size(named, named_path):
    logs = read_logs(named_path)
    told = export.read_metadata(named_path)["warmup"]
    assert len(logs) == told["records"] <= LIMIT
    assert (told["lengths"], told["batch_sizes"]) == ([16], [1, 8, 32])
    sizes = {}
    for log in logs:
        kind = log.WhichOneof("log_type")
        request = getattr(log, kind).request
        signature = request.model_spec.signature_name
        assert kind == ("classify_log" if signature == "classify" else "predict_log")
        if kind == "classify_log":
            count = len(request.input.example_list.examples)
        else:
            (tensor,) = request.inputs.values()
            count = tensor.tensor_shape.dim[0].size
            assert len(set(tensor.string_val)) > count // 8
            pieces = named.preprocessor.tokenizer([t.decode() for t in tensor.string_val])
            assert all(len(row) <= 14 for row in pieces)
        sizes.setdefault(signature, []).append(count)
    assert set(sizes) == {"serving_default", "classify", "embed", "tokenize"}
    assert all(counts == [1, 8, 32] for counts in sizes.values())


def test_the_model_answers_its_warm_up(named_path):
    with export.CApiModel(named_path) as model:
        for log in read_logs(named_path):
            if log.HasField("classify_log"):
                request = log.classify_log.request
                examples = request.input.example_list.examples
                inputs = {"inputs": [example.SerializeToString() for example in examples]}
            else:
                request = log.predict_log.request
                inputs = {name: list(t.string_val) for name, t in request.inputs.items()}
            (count,) = {len(column) for column in inputs.values()}
            for answered in model.run(inputs, request.model_spec.signature_name).values():
                assert len(answered) == count


def test_none_where_none_is_wanted(tiny_task, tmp_path):
    path = export.export_saved_model(tiny_task(), tmp_path, examples=["good"], warmup=False)
    assert not (path / WARMUP).exists()


def test_a_task_of_ones_own_is_warmed_up_too(exported):
    logs = read_logs(exported)
    names = {log.predict_log.request.model_spec.signature_name for log in logs}
    assert names == {"serving_default", "embed"}
