"""The page, in a browser where one is installed, and what it is made of."""

import functools
import os
import re
from pathlib import Path

import pytest
import tensorflow as tf

from tf_bertembed.serving.model_config import ModelConfig
from tf_bertembed.serving.model_store import ModelStore
from tf_bertembed.serving.page.routes import FILES, FOLDER, describe_models

TEXT = tf.TensorSpec([None], tf.string, name="text")


class Answering(tf.Module):
    """Answers of the shapes that the tasks give, by rules that a reader can follow."""

    @tf.function(input_signature=[TEXT])
    def classify(self, text):
        happy = tf.strings.regex_full_match(text, ".*(good|好).*")
        share = tf.where(happy, 0.875, 0.25)
        classes = tf.tile([["bad <b>", "good"]], [tf.shape(text)[0], 1])
        label = tf.where(happy, "good", "bad <b>")
        return {
            "label": label,
            "classes": classes,
            "probabilities": tf.stack([1 - share, share], axis=1),
        }

    @tf.function(input_signature=[TEXT])
    def embed(self, text):
        letters = [
            tf.strings.length(tf.strings.regex_replace(text, f"[^{letter}]", ""))
            for letter in "aeio"
        ]
        return {"embedding": tf.cast(tf.stack(letters, axis=1), tf.float32)}

    @tf.function(input_signature=[TEXT])
    def tag(self, text):
        # The third to the fourth code point, whatever they are.
        one = tf.ones_like(text, tf.int32)[:, tf.newaxis]
        words = tf.strings.substr(text, 2, 2, unit="UTF8_CHAR")[:, tf.newaxis]
        return {
            "words": words,
            "tags": tf.fill(tf.shape(words), "B-PLACE"),
            "scores": tf.fill(tf.shape(words), 0.75),
            "starts": 2 * one,
            "ends": 4 * one,
        }

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, name="question"),
            tf.TensorSpec([None], tf.string, name="context"),
        ]
    )
    def answer(self, question, context):
        answer = tf.strings.substr(context, 0, 2, unit="UTF8_CHAR")
        zero = tf.zeros_like(question, tf.int32)
        return {
            "answer": answer,
            "start": zero,
            "end": zero + 2,
            "score": tf.fill(tf.shape(question), 0.5),
            "answers": tf.stack([answer, context], axis=1),
            "scores": tf.tile([[0.5, 0.125]], [tf.shape(question)[0], 1]),
            "no_answer_score": tf.fill(tf.shape(question), 0.25),
        }

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, name="text_a"),
            tf.TensorSpec([None], tf.string, name="text_b"),
        ]
    )
    def compare(self, text_a, text_b):
        return {"score": tf.where(text_a == text_b, 1.0, 0.5)}

    @tf.function(input_signature=[TEXT])
    def fails(self, text):
        return {"number": tf.strings.to_number(text)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="lines")])
    def count(self, lines):
        return {"lines": tf.strings.length(lines)}

    @tf.function(input_signature=[TEXT])
    def other(self, text):
        return {"upper": tf.strings.upper(text)}


@pytest.fixture(scope="module")
def page(tmp_path_factory, run_server):
    folder = tmp_path_factory.mktemp("page") / "answering"
    module = Answering()
    names = ["embed", "tag", "answer", "compare", "fails", "other", "count"]
    signatures = {name: getattr(module, name) for name in names}
    tf.saved_model.save(
        module, str(folder / "1"), {"serving_default": module.classify, **signatures}
    )
    store = ModelStore([ModelConfig("answering", folder)], poll_seconds=0)
    store.start()
    with run_server(store) as server:
        server.store = store
        yield server
    store.stop()


@pytest.fixture
def ask(browser, page):
    """Open the page with some fields filled in and sent; what the answer's part shows."""
    return functools.partial(browser.ask, page.port)


def test_the_page_and_its_parts_come_with_a_policy(page):
    for path in FILES:
        answer = page.ask("GET", path)
        assert answer.status == 200
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["content-type"].endswith("; charset=utf-8")
        assert page.ask("HEAD", path).content == b""


def test_nothing_is_fetched_from_elsewhere():
    for path in FOLDER.iterdir():
        if path.suffix in (".html", ".css", ".js"):
            text = path.read_text(encoding="utf-8")
            assert not re.findall(r"(?:https?:)?//[a-z]|@import|url\(", text), path
            # What would read a text as markup.
            assert not re.findall(r"innerHTML|outerHTML|insertAdjacent|document\.write", text), path


def test_all_files_are_part_of_the_package():
    setup = (Path(__file__).parents[3] / "setup.py").read_text(encoding="utf-8")
    for name, _ in FILES.values():
        assert f"*{Path(name).suffix}" in setup


def test_models_are_described(page):
    described = page.ask("GET", "/page/models").content["models"]
    assert described == describe_models(page.store)
    (model,) = described
    assert (model["name"], model["version"]) == ("answering", 1)
    signatures = {signature["name"]: signature for signature in model["signatures"]}
    assert signatures["answer"]["inputs"] == ["context", "question"]
    assert signatures["serving_default"]["outputs"] == ["classes", "label", "probabilities"]


def test_signatures_that_take_no_texts_are_left_out(store):
    (model,) = describe_models(store)
    names = {signature["name"] for signature in model["signatures"]}
    assert names == {"serving_default", "echo", "words", "join", "unwritable"}


def test_labels(ask):
    shown = ask(text="很好")
    assert shown.words == "good good 87.5 % bad <b> 12.5 %"
    assert 'style="width: 87.5%;"' in shown.markup


def test_markup_stays_text(ask):
    assert ask(text="<img src=x>").words == "bad <b> bad <b> 75.0 % good 25.0 %"
    assert ask(signature="other", text="<b>a</b>").words == 'upper "<B>A</B>"'


def test_spans_count_characters_that_need_two_units(ask):
    shown = ask(signature="tag", text="😀a北京!")
    assert '<mark class="hue0">北京<b>B-PLACE</b></mark>!' in shown.markup
    assert shown.words.endswith("北京 B-PLACE 75.0 %")


def test_an_answer_in_its_text(ask):
    shown = ask(signature="answer", question="who?", context="😀人 was here")
    assert '<mark class="hue0">😀人</mark> was here' in shown.markup
    assert shown.words.endswith("😀人 50.0 % (no answer) 25.0 % 😀人 was here 12.5 %")


def test_neighbours(ask):
    shown = ask(signature="embed", text="aaa", lines="ooo\n\naao\naa")
    assert shown.words == "Nearest lines, by cosine aa 1.000 aao 0.894 ooo 0.000"


def test_an_input_may_be_called_as_the_box_of_neighbours(ask):
    assert ask(signature="count", lines="four").words == "lines 4"


def test_similarity(ask):
    assert ask(signature="compare", text_a="a", text_b="a").words == "Similarity 1.000 Score 1.000"


def test_an_error_of_the_server_is_shown(ask):
    shown = ask(signature="fails", text="no number")
    assert "StringToNumberOp could not correctly convert string: no number" in shown.words
    assert 'role="alert"' in shown.markup


def test_a_picture_of_it(browser, page, tmp_path):
    """Drawn narrow, as on a phone; the environment may ask to keep the file."""
    kept = os.environ.get("TF_BERTEMBED_SCREENSHOTS")
    picture = (Path(kept) if kept else tmp_path) / "phone.png"
    browser.draw(picture, page.port, size="412,915", text="很好 a good film")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 10_000
