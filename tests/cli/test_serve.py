import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request

import grpc
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from tf_bertembed import cli
from tf_bertembed.serving import requirements


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A folder NAME with one version."""
    module = tf.Module()
    module.serve = tf.function(
        lambda text: {"length": tf.strings.length(text)},
        input_signature=[tf.TensorSpec([None], tf.string, name="text")],
    )
    folder = tmp_path_factory.mktemp("models") / "length"
    tf.saved_model.save(module, str(folder / "1"), {"serving_default": module.serve})
    return folder


@pytest.mark.slow
def test_a_server_that_answers_and_ends_when_it_is_told(exported, tmp_path):
    parameters = tmp_path / "batching_parameters.txt"
    parameters.write_text("max_batch_size { value: 2 }")
    config = tmp_path / "models.config"
    config.write_text(
        f'model_config_list {{ config {{ name: "other" base_path: "{exported}" '
        'model_platform: "tensorflow" } }'
    )
    command = ["serve", "--config", config, "--batching-parameters", parameters, "--json"]
    ports = ["--rest-port", "0", "--grpc-port", "0", "--poll-seconds", "0.1"]
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    with subprocess.Popen(
        [sys.executable, "-m", "tf_bertembed", *map(str, command), *ports],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        try:
            served = json.loads("".join(iter_document(process.stdout)))
            assert served["models"] == ["other"]
            body = json.dumps({"instances": ["a", "我", "three"]}).encode()
            url = f"{served['rest']}/v1/models/other:predict"
            with urllib.request.urlopen(url, body, timeout=60) as response:
                assert json.load(response) == {"predictions": [1, 3, 5]}
            message = predict_pb2.PredictRequest()
            message.model_spec.name = "other"
            message.inputs["text"].CopyFrom(tf.make_tensor_proto(["four"]))
            with grpc.insecure_channel(served["grpc"]) as channel:
                stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
                assert list(stub.Predict(message, timeout=60).outputs["length"].int_val) == [4]
        finally:
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=120)
    assert process.returncode == 0
    entries = [json.loads(line) for line in errors.splitlines()]
    assert [entry["message"] for entry in entries][-2:] == ["version unloaded", "stopped"]


def iter_document(stream):
    for line in stream:
        yield line
        if line.startswith("}"):
            return


def test_bad_input_is_one_line(exported, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    (tmp_path / "wrong").write_text("nothing {")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        for arguments, message in (
            ([], "Folders of models or --config are expected, one of the two. Received: neither."),
            ([exported, "--config", "x"], "Received: both."),
            ([exported / "1"], "1 is one version of a model; the folder above it is expected, "),
            ([tmp_path / "nowhere"], "nowhere does not exist. The versions of the model 'nowhere'"),
            ([tmp_path / "wrong"], "versions was expected. Received: the file"),
            (
                [exported, "--rest-port", "7", "--grpc-port", "7"],
                "REST and gRPC need a port each. Received: 7 for both.",
            ),
            ([exported, "--host", "192.0.2.1"], "An address of this machine was expected."),
            ([tmp_path / "empty"], "empty holds no version to serve"),
            (["--config", tmp_path / "nowhere"], "nowhere does not exist. A ModelServerConfig"),
            (["--config", tmp_path / "wrong"], "wrong, line 1: A ModelServerConfig"),
            ([exported, exported], "Illegal to list model length multiple times"),
            ([exported, "--batching-parameters", tmp_path / "wrong"], "A BatchingParameters in"),
            ([exported, "--rest-port", port], f"cannot listen at 127.0.0.1:{port}"),
            ([exported, "--grpc-port", port], f"cannot listen at 127.0.0.1:{port}"),
            ([exported, "--rest-port", "70000"], "--rest-port"),
            ([exported, "--host", "no.such.host.invalid"], "cannot listen at no.such.host.invalid"),
        ):
            command = ["serve", *map(str, arguments)]
            for name in ("--rest-port", "--grpc-port"):
                if name not in command:
                    command += [name, "0"]
            assert cli.main(command) == 2
            errors = [
                line for line in capsys.readouterr().err.splitlines() if not line.startswith("{")
            ]
            assert len(errors) == 1, errors
            assert message in errors[0]


def test_a_missing_extra(exported, monkeypatch, capsys):
    monkeypatch.setattr(requirements, "MODULES", ("not_installed_here",))
    assert cli.main(["serve", str(exported)]) == 2
    assert "pip install 'tf-bertembed[serve]'" in capsys.readouterr().err


def test_help_says_what_it_is_for(capsys):
    assert cli.main(["serve", "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "for development and tests" in text
    assert "For production use TensorFlow Serving" in text
