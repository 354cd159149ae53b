"""Configuration of TensorFlow Serving, read by the protos and the tools that servers use."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
    wrappers_pb2,
)
from tensorflow_serving.config import model_server_config_pb2

from tf_bertembed import export
from tf_bertembed.common import (
    BertEmbedError,
    FileFormatError,
    MissingFileError,
    OutputExistsError,
)
from tf_bertembed.export.warmup import BATCH_SIZES
from tf_bertembed.serving.batching_parameters import FIELDS as BATCHING_FIELDS
from tf_bertembed.serving.batching_parameters import read_batching_parameters
from tf_bertembed.serving.model_config import read_model_config

COMMITTED = Path(__file__).parents[2] / "saved_models"
FILES = {
    "batching_parameters.txt",
    "compose.yaml",
    "kubernetes.yaml",
    "kustomization.yaml",
    "models.config",
    "monitoring.config",
}
FLAGS = {
    line
    for line in (Path(__file__).parent / "serving_flags.txt").read_text().splitlines()
    if not line.startswith("#")
}

# Messages of https://github.com/tensorflow/serving that the package tensorflow-serving-api leaves
# out: of tensorflow_serving/config/monitoring_config.proto, and of tensorflow_serving/servables/
# tensorflow/session_bundle_config.proto, the last two fields of which as bundle_factory_util.h and
# saved_model_bundle_factory_test.cc beside it use them. Text is read by names and types alone.
MESSAGES = {
    "PrometheusConfig": {"enable": (1, "bool"), "path": (2, "string")},
    "MonitoringConfig": {"prometheus_config": (1, ".servers.PrometheusConfig")},
    "BatchingParameters": {
        "max_batch_size": (1, ".google.protobuf.Int64Value"),
        "batch_timeout_micros": (2, ".google.protobuf.Int64Value"),
        "max_enqueued_batches": (3, ".google.protobuf.Int64Value"),
        "num_batch_threads": (4, ".google.protobuf.Int64Value"),
        "thread_pool_name": (5, ".google.protobuf.StringValue"),
        "allowed_batch_sizes": (6, "int64*"),
        "pad_variable_length_inputs": (7, "bool"),
        "enable_large_batch_splitting": (8, ".google.protobuf.BoolValue"),
        "max_execution_batch_size": (9, ".google.protobuf.Int64Value"),
    },
}


def server_message(name):
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    file = descriptor_pb2.FileDescriptorProto(
        name="servers.proto",
        package="servers",
        syntax="proto3",
        dependency=[wrappers_pb2.DESCRIPTOR.name],
    )
    for message_name, fields in MESSAGES.items():
        message = file.message_type.add(name=message_name)
        for field_name, (number, kind) in fields.items():
            field = message.field.add(name=field_name, number=number)
            field.label = field.LABEL_REPEATED if kind.endswith("*") else field.LABEL_OPTIONAL
            if kind.startswith("."):
                field.type, field.type_name = field.TYPE_MESSAGE, kind
            else:
                field.type = getattr(field, f"TYPE_{kind.rstrip('*').upper()}")
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"servers.{name}"))()


def lay(folder, **models):
    for name, versions in models.items():
        for version in versions:
            place = folder / name / str(version)
            place.mkdir(parents=True)
            (place / "saved_model.pb").touch()
    return folder


@pytest.fixture
def written(tmp_path):
    lay(tmp_path, bbc=[1], tagger=[3, 9, 10])
    (tmp_path / "notes").mkdir()
    (tmp_path / "unfinished" / "1").mkdir(parents=True)
    export.write_serving_files(tmp_path)
    return tmp_path


@pytest.fixture(params=["written", "committed"])
def folder(request):
    return request.getfixturevalue("written") if request.param == "written" else COMMITTED


def parsed(path, message):
    return text_format.Parse(path.read_text(encoding="utf-8"), message)


def documents(path):
    return [d for d in yaml.safe_load_all(path.read_text(encoding="utf-8")) if d is not None]


def test_the_committed_files_are_those_for_the_demos_model(tmp_path):
    files = export.write_serving_files(lay(tmp_path, bbc=[1]))
    assert {file.name for file in files} == FILES
    for file in files:
        assert (COMMITTED / file.name).read_text("utf-8") == file.read_text("utf-8"), file.name


def test_the_configuration_of_the_models(written):
    config = parsed(written / "models.config", model_server_config_pb2.ModelServerConfig())
    bbc, tagger = config.model_config_list.config
    assert (bbc.name, bbc.base_path, bbc.model_platform) == ("bbc", "/models/bbc", "tensorflow")
    assert list(bbc.model_version_policy.specific.versions) == [1]
    assert dict(bbc.version_labels) == {"stable": 1}
    assert list(tagger.model_version_policy.specific.versions) == [9, 10]
    assert dict(tagger.version_labels) == {"stable": 9, "canary": 10}


def test_labels_name_versions_that_are_served(folder):
    config = parsed(folder / "models.config", model_server_config_pb2.ModelServerConfig())
    for model in config.model_config_list.config:
        served = set(model.model_version_policy.specific.versions)
        assert set(model.version_labels.values()) <= served


def test_batching_parameters(folder):
    parameters = parsed(folder / "batching_parameters.txt", server_message("BatchingParameters"))
    assert not parameters.pad_variable_length_inputs
    assert not parameters.allowed_batch_sizes
    assert parameters.enable_large_batch_splitting.value
    assert 1 <= parameters.max_execution_batch_size.value <= parameters.max_batch_size.value
    # A server that refuses a warm-up request does not serve the model.
    assert parameters.max_batch_size.value >= max(BATCH_SIZES) == 32
    assert 1 <= parameters.max_enqueued_batches.value <= 1000
    assert 0 < parameters.batch_timeout_micros.value <= 10_000


def test_monitoring(folder):
    config = parsed(folder / "monitoring.config", server_message("MonitoringConfig"))
    assert config.prometheus_config.enable
    (deployment, *_) = documents(folder / "kubernetes.yaml")
    annotations = deployment["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/path"] == config.prometheus_config.path
    assert annotations["prometheus.io/port"] == "8501"


def test_the_development_server_reads_them_too(folder):
    assert read_model_config(folder / "models.config")[0].name == "bbc"
    read = read_batching_parameters(folder / "batching_parameters.txt")
    assert (read.max_batch_size, read.batch_timeout_micros) == (32, 2000)


def test_the_development_server_knows_the_fields_of_the_official_one():
    known = {name: kind for name, (_, kind) in BATCHING_FIELDS.items()}
    official = {name: kind for name, (_, kind) in MESSAGES["BatchingParameters"].items()}
    assert known == {
        name: kind.removeprefix(".google.protobuf.") for name, kind in official.items()
    }


def test_a_field_that_servers_do_not_know_is_refused():
    with pytest.raises(text_format.ParseError, match="max_batches"):
        text_format.Parse("max_batches { value: 1 }", server_message("BatchingParameters"))


def commands(folder):
    """Per way of serving the flags, and where the server sees the folder of configuration."""
    (compose,) = documents(folder / "compose.yaml")
    yield compose["services"]["serving"]["command"], "/models"
    deployment = documents(folder / "kubernetes.yaml")[0]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    yield container["args"], "/config"


def test_flags_are_those_of_the_server(folder):
    for flags, place in commands(folder):
        values = dict(flag.removeprefix("--").split("=", 1) for flag in flags)
        assert all(flag.startswith("--") for flag in flags)
        assert values.keys() <= FLAGS
        assert (values["port"], values["rest_api_port"]) == ("8500", "8501")
        for flag, name in (
            ("model_config_file", "models.config"),
            ("batching_parameters_file", "batching_parameters.txt"),
            ("monitoring_config_file", "monitoring.config"),
        ):
            assert values[flag] == f"{place}/{name}"
            assert (folder / name).is_file()
        for flag in (
            "enable_batching",
            "enable_model_warmup",
            "allow_version_labels_for_unavailable_models",
        ):
            assert values[flag] == "true"


def test_compose(folder):
    (compose,) = documents(folder / "compose.yaml")
    service = compose["services"]["serving"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert service["volumes"] == [".:/models:ro"]
    assert service["user"].split(":")[0] != "0"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}
    assert "/v1/models/bbc/metadata HTTP/1.1" in service["healthcheck"]["test"][-1]


@pytest.fixture
def status_server():
    """What the health check asks, answering 200 for one path and 404 for all others."""
    import http.server
    import threading

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/v1/models/bbc/metadata" else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(("path", "code"), [("bbc", 0), ("other", 1)])
def test_the_health_check_tells_a_model_that_answers(status_server, path, code):
    (compose,) = documents(COMMITTED / "compose.yaml")
    kind, *command = compose["services"]["serving"]["healthcheck"]["test"]
    assert kind == "CMD"
    script = command[-1].replace("/8501", f"/{status_server}").replace("/bbc/", f"/{path}/")
    done = subprocess.run([*command[:-1], script], timeout=20, check=False)
    assert done.returncode == code


def test_kubernetes(folder):
    kinds = {document["kind"]: document for document in documents(folder / "kubernetes.yaml")}
    assert kinds.keys() == {
        "Deployment",
        "Service",
        "PodDisruptionBudget",
        "HorizontalPodAutoscaler",
    }
    template = kinds["Deployment"]["spec"]["template"]
    pod, labels = template["spec"], template["metadata"]["labels"]
    (container,) = pod["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"rest": 8501, "grpc": 8500}
    for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[kind]["httpGet"]["port"] == "rest"
        assert container[kind]["httpGet"]["path"].startswith("/v1/models/bbc")
    assert container["resources"].keys() == {"requests", "limits"}
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert all(mount["readOnly"] and "subPath" not in mount for mount in container["volumeMounts"])
    assert {m["name"] for m in container["volumeMounts"]} == {v["name"] for v in pod["volumes"]}
    for kind in ("Deployment", "PodDisruptionBudget"):
        assert kinds[kind]["spec"]["selector"]["matchLabels"] == labels
    assert kinds["Service"]["spec"]["selector"] == labels
    assert {p["targetPort"] for p in kinds["Service"]["spec"]["ports"]} == ports.keys()
    # Both would set the number of replicas, in turns.
    assert "replicas" not in kinds["Deployment"]["spec"]
    assert kinds["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == "serving"


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kustomize_builds_the_configuration_that_is_mounted(folder):
    done = subprocess.run(
        ["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=True
    )
    built = {document["kind"]: document for document in yaml.safe_load_all(done.stdout)}
    configuration = built["ConfigMap"]
    assert configuration["data"] == {
        name: (folder / name).read_text("utf-8")
        for name in ("models.config", "batching_parameters.txt", "monitoring.config")
    }
    volumes = built["Deployment"]["spec"]["template"]["spec"]["volumes"]
    (mounted,) = (v["configMap"]["name"] for v in volumes if "configMap" in v)
    assert configuration["metadata"]["name"] == mounted


def has_compose():
    if shutil.which("docker") is None:
        return False
    done = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    return done.returncode == 0


def test_docker_reads_the_compose_file(folder):
    if not has_compose():
        pytest.skip("docker compose is not installed")
    done = subprocess.run(
        ["docker", "compose", "--file", str(folder / "compose.yaml"), "config", "--format", "json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["services"]["serving"]["read_only"] is True


def test_files_are_replaced_only_where_that_is_asked(written):
    (written / "models.config").unlink()
    with pytest.raises(OutputExistsError, match=r"batching_parameters.txt already exists"):
        export.write_serving_files(written)
    assert not (written / "models.config").exists()
    lay(written, another=[2])
    export.write_serving_files(written, overwrite=True)
    assert 'name: "another"' in (written / "models.config").read_text("utf-8")
    assert export.served_models(written) == {"another": [2], "bbc": [1], "tagger": [3, 9, 10]}


def test_folders_without_models(tmp_path):
    with pytest.raises(MissingFileError, match=r"nothing does not exist"):
        export.write_serving_files(tmp_path / "nothing")
    with pytest.raises(FileFormatError, match=r"No exported model, NAME/VERSION"):
        export.write_serving_files(tmp_path)
    lay(tmp_path, **{"my model": [1]})
    with pytest.raises(BertEmbedError, match=r"stands in URLs.*Received: 'my model'"):
        export.write_serving_files(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["my model"]
