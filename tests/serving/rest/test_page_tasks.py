"""The page shows what each task of this package answers once it is exported."""

import pytest

from tf_bertembed.serving.model_config import ModelConfig
from tf_bertembed.serving.model_store import ModelStore

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(every_task, run_server):
    configs = [ModelConfig(name, folder) for name, folder in every_task.folders.items()]
    store = ModelStore(configs, poll_seconds=0)
    store.start()
    with run_server(store) as server:
        yield server
    store.stop()


@pytest.fixture
def context(every_task):
    return every_task.context


@pytest.fixture
def ask(browser, served):
    def ask(**fields):
        shown = browser.ask(served.port, **fields)
        assert "fault" not in shown.markup, shown.words
        return shown

    return ask


def test_a_classifier(ask, context):
    words = ask(model="classifier", text=context).words.split()
    assert words[0] == words[1]
    assert {words[1], words[4]} == {"no", "yes"}


def test_a_classifier_of_several_labels(ask, context):
    shown = ask(model="several", text=context)
    assert '<p class="headline">no, yes</p>' in shown.markup


def test_a_tagger(ask, context):
    shown = ask(model="tagger", text=context)
    assert ">Ada<b>PER</b></mark> lives in <mark" in shown.markup
    assert ">北京<b>LOC</b></mark> with <mark" in shown.markup


def test_an_answerer(ask, context):
    shown = ask(model="answerer", question="Where?", context=context)
    assert "(no answer)" in shown.words


def test_an_encoder(ask, context):
    shown = ask(model="encoder", text=context, lines=f"Bo\n{context}")
    assert shown.words.startswith(f"Nearest lines, by cosine {context} 1.000 Bo ")
    shown = ask(model="encoder", signature="similarity", text_a=context, text_b=context)
    assert shown.words.startswith("Similarity 1.000")
