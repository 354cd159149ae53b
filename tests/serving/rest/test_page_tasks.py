"""The page shows what each task of this package answers once it is exported."""

import keras
import pytest

from tf_bertembed import export, models, tasks, text
from tf_bertembed.serving.model_config import ModelConfig
from tf_bertembed.serving.model_store import ModelStore

pytestmark = pytest.mark.slow

CONTEXT = "🙂 Ada lives in 北京 with Bo."
TAGS = ["B-PER", "O", "O", "B-LOC", "O", "B-PER", "O"]
WORDS = ["Ada", "lives", "in", "北京", "with", "Bo", "."]


def backbone(tokenizer):
    return models.BertEmbedBackbone(tokenizer.vocabulary_size(), 1, 2, 32, 64)


@pytest.fixture(scope="module")
def served(tmp_path_factory, run_server):
    keras.utils.set_random_seed(0)
    folder = tmp_path_factory.mktemp("models")
    tokenizer = text.BertEmbedTokenizer(text.train_vocabulary([CONTEXT] * 3, 80))
    plain = text.Preprocessor(tokenizer, 32)
    classifier = tasks.TextClassifier(backbone(tokenizer), ["no", "yes"], plain)
    several = tasks.TextClassifier(
        backbone(tokenizer), ["no", "yes"], plain, multi_label=True, threshold=0.01
    )
    encoder = tasks.SentenceEncoder(backbone(tokenizer), plain)
    spans = text.TaggingPreprocessor(tokenizer, sequence_length=32, split="punctuation")
    tagger = tasks.TokenClassifier(backbone(tokenizer), sorted(set(TAGS)), spans)
    tagger.compile(tasks.AdamW(1e-2))
    tagger.fit([WORDS] * 16, [TAGS] * 16, batch_size=8, epochs=15, verbose=0)
    windows = text.QuestionPreprocessor(tokenizer, 32)
    answerer = tasks.QuestionAnswerer(backbone(tokenizer), windows)
    exported = {
        "classifier": classifier,
        "several": several,
        "encoder": encoder,
        "tagger": tagger,
        "answerer": answerer,
    }
    for name, task in exported.items():
        export.export_saved_model(task, folder / name)
    store = ModelStore([ModelConfig(name, folder / name) for name in exported], poll_seconds=0)
    store.start()
    with run_server(store) as server:
        yield server
    store.stop()


@pytest.fixture
def ask(browser, served):
    def ask(**fields):
        shown = browser.ask(served.port, **fields)
        assert "fault" not in shown.markup, shown.words
        return shown

    return ask


def test_a_classifier(ask):
    words = ask(model="classifier", text=CONTEXT).words.split()
    assert words[0] == words[1]
    assert {words[1], words[4]} == {"no", "yes"}


def test_a_classifier_of_several_labels(ask):
    shown = ask(model="several", text=CONTEXT)
    assert '<p class="headline">no, yes</p>' in shown.markup


def test_a_tagger(ask):
    shown = ask(model="tagger", text=CONTEXT)
    assert ">Ada<b>PER</b></mark> lives in <mark" in shown.markup
    assert ">北京<b>LOC</b></mark> with <mark" in shown.markup


def test_an_answerer(ask):
    shown = ask(model="answerer", question="Where?", context=CONTEXT)
    assert "(no answer)" in shown.words


def test_an_encoder(ask):
    shown = ask(model="encoder", text=CONTEXT, lines=f"Bo\n{CONTEXT}")
    assert shown.words.startswith(f"Nearest lines, by cosine {CONTEXT} 1.000 Bo ")
    shown = ask(model="encoder", signature="similarity", text_a=CONTEXT, text_b=CONTEXT)
    assert shown.words.startswith("Similarity 1.000")
