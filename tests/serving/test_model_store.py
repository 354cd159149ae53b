"""Models whose versions come and go while requests are answered."""

import logging
import shutil
import threading

import pytest

from tf_bertembed.common import BertEmbedError, MissingFileError
from tf_bertembed.serving import ServingError, served_model
from tf_bertembed.serving.model_config import ModelConfig, VersionPolicy
from tf_bertembed.serving.model_store import ModelStore


def state(store, version, name="toy"):
    return next((s.state for s in store.statuses(name) if s.version == version), None)


def shout(store, tools, text="a", **choice):
    with store.use("toy", **choice) as model:
        upper = model.run("serving_default", {"text": tools.strings(text)})["upper"]
        return model.version, upper.tolist()


def test_a_version_by_default_by_number_and_by_label(base, add_version, tools, started):
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


def test_unknown_models_versions_and_labels_in_their_words(base, tools, started):
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


def test_a_new_version_waits_for_requests_that_use_the_old_one(base, add_version, tools, started):
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


def test_versions_swapped_under_load_lose_no_answer(base, add_version, tools, started):
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


def test_a_broken_version_keeps_its_error_and_the_older_one(
    base, add_version, tools, caplog, started
):
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


def test_the_newest_stays_where_a_newer_one_does_not_load(base, tools, started):
    with started(ModelConfig("toy", base)) as store:
        (base / "2").mkdir()
        tools.until(lambda: state(store, 2) == "END")
        assert shout(store, tools)[0] == 1
        assert "holds no saved_model.pb" in store.statuses("toy", version=2)[0].error_message


def test_folders_that_are_being_written_are_not_taken(base, toy, tools, started):
    shutil.copytree(toy, base / ".2.abc" / "2")
    shutil.copytree(toy, base / "3.tmp")
    (base / "4").write_text("a file")
    config = ModelConfig("toy", base, version_policy=VersionPolicy(every=True))
    with started(config, poll_seconds=0) as store:
        assert [status.version for status in store.statuses("toy")] == [1]


def test_a_version_that_is_removed_is_let_go(base, add_version, tools, started):
    add_version(base, 2)
    config = ModelConfig("toy", base, version_policy=VersionPolicy(every=True))
    with started(config) as store:
        shutil.rmtree(base / "1")
        tools.until(lambda: state(store, 1) == "END")
        assert state(store, 2) == "AVAILABLE"
        assert shout(store, tools)[0] == 2


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


def test_other_models_from_now_on(base, add_version, tools, started):
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


def test_a_label_answers_while_it_is_moved(base, add_version, tools, monkeypatch, started):
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


def test_a_refused_list_of_models_changes_nothing(base, add_version, tmp_path, tools, started):
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


def test_another_folder_is_another_model_whatever_its_numbers(base, toy, tmp_path, tools, started):
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


def test_a_folder_that_cannot_be_read_is_a_version_that_fails(base, tools, started):
    (base / "2" / "assets").mkdir(parents=True)
    (base / "2" / "assets" / "loop").symlink_to("loop")
    config = ModelConfig("toy", base, version_policy=VersionPolicy(every=True))
    with started(config) as store:
        assert shout(store, tools)[0] == 1
        assert state(store, 2) == "END"


def test_a_fault_in_one_model_does_not_end_the_looking(
    base, toy, add_version, tmp_path, tools, monkeypatch, caplog, started
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
