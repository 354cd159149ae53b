"""Questions answered by an exported model as in memory, with strings in and out."""

import keras
import numpy as np
import pytest

from tf_bertembed import export, models, tasks, text

CONTEXTS = [
    "The café of Zoë was opened in 1912, near the old harbour of Oslo.",
    "🙂我住在北京。北京是中国的首都，人口超过两千万。",
    "한국의 수도는 서울이다.",
    "",
    " \u200b ",
    "In the spring the river rose, and the old bridge was closed. " * 40,
    "x",
]
QUESTIONS = [
    "When was the café opened?",
    "谁住在北京？",
    "수도는?",
    "Who?",
    "",
    "Why was the bridge closed, and when, and by whom? " * 9,
    "🙂",
]
WORDS = ["café", "the", "我", "bridge"]


@pytest.fixture(scope="module")
def task():
    keras.utils.set_random_seed(3)
    tokenizer = text.BertEmbedTokenizer(text.train_vocabulary([*CONTEXTS[:6], *QUESTIONS], 200))
    backbone = models.BertEmbedBackbone(
        vocabulary_size=tokenizer.vocabulary_size(),
        num_layers=1,
        num_heads=2,
        hidden_dim=16,
        intermediate_dim=32,
        max_sequence_length=32,
        static_vocabulary_size=len(WORDS) + 1,
        static_dim=4,
        output_fusion="concat",
    )
    vectors = np.random.default_rng(0).normal(size=(len(WORDS) + 1, 4))
    vectors[0] = 0
    backbone.set_static_vectors(vectors)
    preprocessor = text.QuestionPreprocessor(tokenizer, 32, WORDS)
    task = tasks.QuestionAnswerer(backbone, preprocessor, n_best=3, max_answer_length=8)
    task.output_dense.kernel.assign(task.output_dense.kernel * 50)
    return task


@pytest.fixture(scope="module")
def in_memory(task):
    return task.answer((QUESTIONS, CONTEXTS))


@pytest.fixture(scope="module")
def exported(task, in_memory, tmp_path_factory):
    # Between the margins of the texts, so that some are answered and some not.
    sure = [np.log(a["no_answer_score"] / a["score"]) for a in in_memory if a["answer"]]
    task.null_threshold = float(np.sort(sure)[:2].mean())
    pairs = list(zip(QUESTIONS, CONTEXTS, strict=True))
    return export.export_saved_model(task, tmp_path_factory.mktemp("qa") / "qa", examples=pairs)


@pytest.fixture(scope="module")
def served(exported):
    return export.answer(exported, {"question": QUESTIONS, "context": CONTEXTS})


def test_it_passes_verification(exported):
    report = export.verify(exported)
    assert report.ok, str(report)
    assert {c.output for c in report.checks if c.signature == "serving_default"} == {
        *("answer", "score", "start", "end", "no_answer_score"),
        *("answers", "scores", "starts", "ends"),
    }


def test_served_answers_are_those_in_memory(task, served):
    answers = task.answer((QUESTIONS, CONTEXTS))
    assert {bool(answer["answer"]) for answer in answers} == {True, False}
    for number, (answer, context) in enumerate(zip(answers, CONTEXTS, strict=True)):
        assert answer["answer"] == context[answer["start"] : answer["end"]]
        for name, value in answer.items():
            given = served[name][number]
            if "score" in name:
                np.testing.assert_allclose(given, value, atol=1e-5)
            else:
                assert given.tolist() == value, name


@pytest.mark.slow
def test_one_text_is_answered_as_among_others(exported, served):
    pair = {"question": QUESTIONS[:1], "context": CONTEXTS[:1]}
    alone = export.answer(exported, pair)
    assert alone["answers"].tolist() == served["answers"][:1].tolist()
    np.testing.assert_allclose(alone["scores"], served["scores"][:1], atol=1e-5)
