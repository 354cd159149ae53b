import contextlib
import logging
import shutil
import threading

import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from tf_bertembed.common import BertEmbedError, FileFormatError, MissingFileError
from tf_bertembed.export.warmup_replay import WARMUP
from tf_bertembed.serving import ServingError, served_model
from tf_bertembed.serving.model_config import ModelConfig, VersionPolicy, read_model_config
from tf_bertembed.serving.model_store import ModelStore

POLL = 0.02


@contextlib.contextmanager
def started(*models, **settings):
    store = ModelStore(list(models), **{"poll_seconds": POLL, **settings})
    store.start()
    try:
        yield store
    finally:
        store.stop()


def state(store, version, name="toy"):
    return next((s.state for s in store.statuses(name) if s.version == version), None)


def shout(store, tools, text="a", **choice):
    with store.use("toy", **choice) as model:
        upper = model.run("serving_default", {"text": tools.strings(text)})["upper"]
        return model.version, upper.tolist()


def test_a_version_by_default_by_number_and_by_label(base, add_version, tools):
    add_version(base, 2)
    config = ModelConfig("toy", base, {"stable": 1}, VersionPolicy(every=True))
    with started(config, poll_seconds=0) as store:
        assert store.names() == ["toy"]
        assert store.ready()
        assert shout(store, tools) == (2, [b"A"])
        assert shout(store, tools, version=1) == (1, [b"A"])
        assert shout(store, tools, label="stable") == (1, [b"A"])
        assert [status.version for status in store.statuses("toy")] == [2, 1]
        assert [status.version for status in store.statuses("toy", label="stable")] == [1]
    assert not store.ready()


def test_unknown_models_versions_and_labels_in_their_words(base, tools):
    with started(ModelConfig("toy", base), poll_seconds=0) as store:
        for choice, code, message in (
            ({"name": "other"}, "NOT_FOUND", "Servable not found for request: Latest(other)"),
            (
                {"name": "toy", "version": 7},
                "NOT_FOUND",
                "Servable not found for request: Specific(toy, 7)",
            ),
            (
                {"name": "toy", "label": "x"},
                "INVALID_ARGUMENT",
                "Unrecognized servable version label: x",
            ),
        ):
            with pytest.raises(ServingError) as raised, store.use(**choice):
                pass
            assert (raised.value.code, str(raised.value)) == (code, message)
        for choice, message in (
            ({"name": "other"}, "Could not find any versions of model other"),
            ({"name": "toy", "version": 7}, "Could not find version 7 of model toy"),
        ):
            with pytest.raises(ServingError, match=message) as raised:
                store.statuses(**choice)
            assert raised.value.http_status == 404


def test_policies():
    numbers = [3, 1, 20]
    assert VersionPolicy().choose(numbers) == [20]
    assert VersionPolicy(latest=2).choose(numbers) == [20, 3]
    assert VersionPolicy(every=True).choose(numbers) == [20, 3, 1]
    assert VersionPolicy(specific=(1, 4)).choose(numbers) == [1]


def test_a_new_version_waits_for_requests_that_use_the_old_one(base, add_version, tools):
    with started(ModelConfig("toy", base)) as store:
        with store.use("toy") as old:
            add_version(base, 2)
            tools.until(lambda: state(store, 2) == "AVAILABLE")
            tools.until(lambda: state(store, 1) == "UNLOADING")
            # Later requests take the new one; this one still gets its answer.
            assert shout(store, tools) == (2, [b"A"])
            answer = old.run("serving_default", {"text": tools.strings("old")})
            assert answer["upper"].tolist() == [b"OLD"]
            assert state(store, 1) == "UNLOADING"
        tools.until(lambda: state(store, 1) == "END")
        with pytest.raises(ServingError, match=r"Specific\(toy, 1\)"):
            shout(store, tools, version=1)


def test_versions_swapped_under_load_lose_no_answer(base, add_version, tools):
    with started(ModelConfig("toy", base)) as store:
        over, failures, answered = threading.Event(), [], []

        def client():
            while not over.is_set():
                try:
                    answered.append(shout(store, tools, "text"))
                except ServingError as error:
                    failures.append(error)

        clients = [threading.Thread(target=client) for _ in range(2)]
        for thread in clients:
            thread.start()
        try:
            for number in (2, 3):
                add_version(base, number)
                tools.until(lambda number=number: state(store, number - 1) == "END")
        finally:
            over.set()
            for thread in clients:
                thread.join()
    assert failures == []
    assert {version for version, _ in answered} == {1, 2, 3}
    assert all(upper == [b"TEXT"] for _, upper in answered)


def test_a_broken_version_keeps_its_error_and_the_older_one(base, add_version, tools, caplog):
    (base / "2").mkdir()
    (base / "2" / "saved_model.pb").write_bytes(b"no model")
    with (
        caplog.at_level(logging.INFO, "tf_bertembed.serving"),
        started(ModelConfig("toy", base, version_policy=VersionPolicy(latest=2))) as store,
    ):
        assert shout(store, tools)[0] == 1
        (status,) = store.statuses("toy", version=2)
        assert (status.state, status.error_code) == ("END", "INTERNAL")
        assert "saved_model.pb" in status.error_message
        (record,) = [r for r in caplog.records if r.levelno == logging.ERROR]
        assert record.fields["version"] == 2
        assert record.fields["error"] == status.error_message
        # A copy that was not complete is taken once it is.
        shutil.rmtree(base / "2")
        add_version(base, 2)
        tools.until(lambda: state(store, 2) == "AVAILABLE")


def test_the_newest_stays_where_a_newer_one_does_not_load(base, tools):
    with started(ModelConfig("toy", base)) as store:
        (base / "2").mkdir()
        tools.until(lambda: state(store, 2) == "END")
        assert shout(store, tools)[0] == 1
        assert "holds no saved_model.pb" in store.statuses("toy", version=2)[0].error_message


def test_folders_that_are_being_written_are_not_taken(base, toy, tools):
    shutil.copytree(toy, base / ".2.abc" / "2")
    shutil.copytree(toy, base / "3.tmp")
    (base / "4").write_text("a file")
    config = ModelConfig("toy", base, version_policy=VersionPolicy(every=True))
    with started(config, poll_seconds=0) as store:
        assert [status.version for status in store.statuses("toy")] == [1]


def test_a_version_that_is_removed_is_let_go(base, add_version, tools):
    add_version(base, 2)
    config = ModelConfig("toy", base, version_policy=VersionPolicy(every=True))
    with started(config) as store:
        shutil.rmtree(base / "1")
        tools.until(lambda: state(store, 1) == "END")
        assert state(store, 2) == "AVAILABLE"
        assert shout(store, tools)[0] == 2


def write_warm_up(folder, *logs):
    (folder / WARMUP).parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(folder / WARMUP)) as writer:
        for log in logs:
            writer.write(log.SerializeToString())


def predict_log(text, signature="serving_default"):
    log = prediction_log_pb2.PredictionLog()
    request = log.predict_log.request
    request.model_spec.signature_name = signature
    request.inputs["text"].CopyFrom(tf.make_tensor_proto([text]))
    return log


def test_recorded_requests_are_replayed(base, tools, caplog):
    classify = prediction_log_pb2.PredictionLog()
    request = classify.classify_log.request
    request.model_spec.signature_name = "classify"
    example = request.input.example_list.examples.add()
    example.features.feature["text"].bytes_list.value.append(b"good")
    write_warm_up(base / "1", predict_log("a"), predict_log("1.5", "parse"), classify)
    with (
        caplog.at_level(logging.INFO, "tf_bertembed.serving"),
        started(ModelConfig("toy", base), poll_seconds=0),
    ):
        (record,) = [r for r in caplog.records if r.message == "version available"]
        assert record.fields["warm_up_requests"] == 3


def test_recorded_requests_of_other_kinds_do_not_keep_a_version_from_being_served(base, caplog):
    regress, several = prediction_log_pb2.PredictionLog(), prediction_log_pb2.PredictionLog()
    request = regress.regress_log.request
    request.model_spec.signature_name = "classify"
    example = request.input.example_list.examples.add()
    example.features.feature["text"].bytes_list.value.append(b"good")
    several.multi_inference_log.request.tasks.add().model_spec.signature_name = "classify"
    unknown = prediction_log_pb2.PredictionLog()
    unknown.regress_log.request.model_spec.signature_name = "regress"
    write_warm_up(base / "1", regress, several, unknown)
    with (
        caplog.at_level(logging.INFO, "tf_bertembed.serving"),
        started(ModelConfig("toy", base), poll_seconds=0) as store,
    ):
        assert store.ready()
    kinds = [r.fields["kind"] for r in caplog.records if r.levelno == logging.WARNING]
    assert kinds == ["multi_inference_log", "regress_log"]


def test_a_version_whose_recorded_requests_fail_is_not_served(base):
    write_warm_up(base / "1", predict_log("a"), predict_log("no number", "parse"))
    with pytest.raises(BertEmbedError, match="StringToNumberOp could not correctly convert"):
        ModelStore([ModelConfig("toy", base)]).start()
    write_warm_up(base / "1", prediction_log_pb2.PredictionLog())
    with pytest.raises(BertEmbedError, match="Unsupported log_type for warmup"):
        ModelStore([ModelConfig("toy", base)]).start()
    (base / "1" / WARMUP).write_bytes(b"no records at all")
    with pytest.raises(BertEmbedError, match="verify your warmup data is in TFRecord format"):
        ModelStore([ModelConfig("toy", base)]).start()


def test_a_store_that_has_nothing_to_serve_does_not_start(base, tmp_path):
    with pytest.raises(MissingFileError, match="nowhere does not exist"):
        ModelStore([ModelConfig("toy", tmp_path / "nowhere")]).start()
    (tmp_path / "empty").mkdir()
    with pytest.raises(BertEmbedError, match="empty holds no version to serve"):
        ModelStore([ModelConfig("toy", tmp_path / "empty")]).start()
    with pytest.raises(BertEmbedError, match="label to version 5 of model toy, which is not"):
        ModelStore([ModelConfig("toy", base, {"next": 5})]).start()
    with pytest.raises(ServingError, match="Illegal to list model toy multiple times"):
        ModelStore([ModelConfig("toy", base), ModelConfig("toy", base)])


def test_other_models_from_now_on(base, add_version, tools):
    add_version(base, 2)
    with started(ModelConfig("toy", base)) as store:
        labelled = ModelConfig("toy", base, {"old": 1}, VersionPolicy(every=True))
        store.reload([labelled, ModelConfig("again", base)])
        assert store.names() == ["again", "toy"]
        assert shout(store, tools, label="old")[0] == 1
        store.reload([ModelConfig("again", base)])
        assert store.names() == ["again"]
        with pytest.raises(ServingError, match=r"Latest\(toy\)"):
            shout(store, tools)
        tools.until(lambda: state(store, 2) == "END")
        with pytest.raises(ServingError, match="holds no version to serve") as raised:
            store.reload([ModelConfig("toy", base.parent)])
        assert raised.value.code == "FAILED_PRECONDITION"


def test_a_label_answers_while_it_is_moved(base, add_version, tools, monkeypatch):
    loading, go_on, load = threading.Event(), threading.Event(), served_model.LoadedModel

    def slow(*arguments):
        loading.set()
        assert go_on.wait(60)
        return load(*arguments)

    with started(ModelConfig("toy", base, {"stable": 1}), poll_seconds=0) as store:
        add_version(base, 2)
        monkeypatch.setattr(served_model, "LoadedModel", slow)
        moving = threading.Thread(
            target=store.reload, args=([ModelConfig("toy", base, {"stable": 2})],)
        )
        moving.start()
        try:
            assert loading.wait(60)
            assert shout(store, tools, label="stable")[0] == 1
        finally:
            go_on.set()
            moving.join(60)
        assert shout(store, tools, label="stable")[0] == 2
        tools.until(lambda: state(store, 1) == "END")


def test_a_refused_list_of_models_changes_nothing(base, add_version, tmp_path, tools):
    (tmp_path / "empty").mkdir()
    with started(ModelConfig("toy", base, {"stable": 1}), poll_seconds=0) as store:
        add_version(base, 2)
        for models in (
            [ModelConfig("toy", base, {"stable": 7})],
            # Version 1 is there, and would be let go.
            [ModelConfig("toy", base, {"stable": 1, "new": 2})],
            [ModelConfig("toy", base, {}), ModelConfig("more", tmp_path / "empty")],
            [ModelConfig("more", tmp_path / "empty")],
        ):
            with pytest.raises(ServingError) as raised:
                store.reload(models)
            assert raised.value.code == "FAILED_PRECONDITION"
            assert store.names() == ["toy"]
            assert store.ready()
            assert shout(store, tools, label="stable")[0] == 1
            tools.until(lambda: state(store, 2) == "END")


def test_another_folder_is_another_model_whatever_its_numbers(base, toy, tmp_path, tools):
    shutil.copytree(toy, tmp_path / "other" / "1")
    with started(ModelConfig("toy", base), poll_seconds=0) as store:
        with store.use("toy") as old:
            store.reload([ModelConfig("toy", tmp_path / "other")])
            with store.use("toy") as new:
                assert (new.version, new.path) == (1, tmp_path / "other" / "1")
            answer = old.run("serving_default", {"text": tools.strings("old")})
            assert answer["upper"].tolist() == [b"OLD"]
        # The old one is freed once nothing uses it.
        tools.until(lambda: old._session is None)


def test_a_folder_that_cannot_be_read_is_a_version_that_fails(base, tools):
    (base / "2" / "assets").mkdir(parents=True)
    (base / "2" / "assets" / "loop").symlink_to("loop")
    config = ModelConfig("toy", base, version_policy=VersionPolicy(every=True))
    with started(config) as store:
        assert shout(store, tools)[0] == 1
        assert state(store, 2) == "END"


def test_a_fault_in_one_model_does_not_end_the_looking(
    base, toy, add_version, tmp_path, tools, monkeypatch, caplog
):
    shutil.copytree(toy, tmp_path / "other" / "1")
    poll = served_model.ServedModel.poll

    def faulty(model):
        if model.config.name == "bad":
            raise ValueError("a fault")
        poll(model)

    with started(ModelConfig("bad", tmp_path / "other"), ModelConfig("toy", base)) as store:
        monkeypatch.setattr(served_model.ServedModel, "poll", faulty)
        tools.until(lambda: "looking for versions failed" in caplog.text)
        add_version(base, 2)
        tools.until(lambda: state(store, 2) == "AVAILABLE")


def test_models_config(tmp_path):
    path = tmp_path / "models.config"
    path.write_text(
        """
        model_config_list {
          config {
            name: "bbc" base_path: "bbc" model_platform: "tensorflow"
            model_version_policy { specific { versions: 3 versions: 5 } }
            version_labels { key: "stable" value: 3 }
          }
          config { name: "all" base_path: "/models/all" model_type: TENSORFLOW
                   model_version_policy { all {} } }
          config { name: "two" base_path: "/models/two" model_platform: "tensorflow"
                   model_version_policy { latest { num_versions: 2 } } }
        }
        """
    )
    assert read_model_config(path) == [
        ModelConfig("bbc", tmp_path / "bbc", {"stable": 3}, VersionPolicy(specific=(3, 5))),
        ModelConfig("all", "/models/all", {}, VersionPolicy(every=True)),
        ModelConfig("two", "/models/two", {}, VersionPolicy(latest=2)),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("model_config_list {\n  config { nam: 1 }\n}", "line 2: A ModelServerConfig in protobuf"),
        ("custom_model_config {}", "Only ModelConfigList is currently supported"),
        ('model_config_list { config { name: "a" } }', "needs a `name` and a `base_path`"),
        ('model_config_list { config { name: "a" base_path: "b" } }', "neither"),
        (
            'model_config_list { config { name: "a" base_path: "b" model_platform: "caffe" } }',
            "Received: 'caffe'",
        ),
        (b"\xff", "UTF-8 text was expected"),
    ],
)
def test_a_models_config_that_cannot_be_used(tmp_path, content, message):
    path = tmp_path / "models.config"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(FileFormatError, match=message):
        read_model_config(path)
