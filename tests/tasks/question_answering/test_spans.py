import numpy as np
import pytest
import tensorflow as tf

from tf_bertembed.tasks.question_answering.spans import LOW, answers_of, best_spans

N_BEST, LONGEST = 3, 4
CONTEXTS = ["🙂 ab 北京 cd", "x", "", "de 京"]


@pytest.fixture(scope="module")
def windows():
    """Six windows of four texts; the first text stands in three of them."""
    none = [(-1, -1)] * 3
    first = [(0, 1), (2, 4), (5, 6), (6, 7), (8, 9), (9, 10)]
    rows = [none + first[:4], none + first[2:], none + first[4:] + none[:2]]
    rows += [[*none, (0, 1), *none], none + none[:1] + none, [*none, (0, 2), (3, 4), *none[:2]]]
    spans = np.array([[*row[:7], (-1, -1)] for row in rows], "int32")
    logits = np.random.default_rng(2).normal(size=(2, *spans.shape[:2])).astype("float32") * 3
    features = {
        "piece_starts": tf.constant(spans[..., 0]),
        "piece_ends": tf.constant(spans[..., 1]),
        "window_text": tf.constant([0, 0, 0, 1, 2, 3]),
        "contexts": tf.constant(CONTEXTS),
    }
    return features, *map(tf.constant, logits)


@pytest.fixture(scope="module")
def found(windows):
    return best_spans(*windows, n_best=N_BEST, max_answer_length=LONGEST, copies=3)


def by_hand(windows, number):
    """Every span of a text with its logit, best first; the logit of no answer; all exponentials."""
    features, start_logits, end_logits = windows
    starts, ends = features["piece_starts"].numpy(), features["piece_ends"].numpy()
    best, nulls, total = {}, [], 0.0
    for row in np.flatnonzero(features["window_text"].numpy() == number):
        nulls.append(float(start_logits[row, 0] + end_logits[row, 0]))
        for first in range(starts.shape[1]):
            for last in range(first, min(first + LONGEST, starts.shape[1])):
                if starts[row, first] < 0 or starts[row, last] < 0:
                    continue
                span = int(starts[row, first]), int(ends[row, last])
                logit = float(start_logits[row, first] + end_logits[row, last])
                best[span] = max(best.get(span, -np.inf), logit)
                total += np.exp(logit)
    ordered = sorted(best.items(), key=lambda item: -item[1])
    return ordered, min(nulls), total + np.exp(min(nulls))


def test_all_spans_are_compared(windows, found):
    for number, _ in enumerate(CONTEXTS):
        expected, null, total = by_hand(windows, number)
        expected = (expected + [((0, 0), LOW)] * N_BEST)[:N_BEST]
        ends = found["ends"][number].numpy()
        spans = list(zip(found["starts"][number].numpy(), ends, strict=True))
        assert spans == [span for span, _ in expected]
        real = [logit for _, logit in expected if logit > LOW]
        np.testing.assert_allclose(found["logits"][number, : len(real)], real, rtol=1e-5)
        assert (found["logits"][number, len(real) :].numpy() <= LOW).all()
        assert float(found["null_logits"][number]) == pytest.approx(null, rel=1e-5)
        assert float(found["log_total"][number]) == pytest.approx(np.log(total), rel=1e-5)


def test_answers(windows, found):
    answers = {k: v.numpy() for k, v in answers_of(found, windows[0]["contexts"], None).items()}
    for number, context in enumerate(CONTEXTS):
        said = answers["answer"][number].decode()
        assert said == context[answers["start"][number] : answers["end"][number]]
        spans = zip(answers["starts"][number], answers["ends"][number], strict=True)
        assert [text.decode() for text in answers["answers"][number]] == [
            context[start:end] for start, end in spans
        ]
        assert bool(said) == bool(context)
    assert answers["score"][2] == answers["no_answer_score"][2] == 1
    assert (answers["scores"].sum(1) + answers["no_answer_score"] <= 1.00001).all()
    assert (np.diff(answers["scores"]) <= 0).all()


def test_the_threshold(windows, found):
    margins = (found["null_logits"] - found["logits"][:, 0]).numpy()
    for threshold in (-100.0, float(np.median(margins[[0, 1, 3]])), 100.0):
        answers = answers_of(found, windows[0]["contexts"], threshold)
        silent = [text == b"" for text in answers["answer"].numpy()]
        assert silent == [margin > threshold for margin in margins]
        chosen = np.where(silent, answers["no_answer_score"], answers["scores"][:, 0])
        np.testing.assert_array_equal(answers["score"], chosen)
        assert not np.any(np.where(silent, answers["end"], 0))


def test_fewer_places_than_answers(windows):
    features, *logits = windows
    found = best_spans(features, *logits, n_best=40, max_answer_length=1, copies=3)
    assert found["logits"].shape == (4, 40)
    assert (found["logits"].numpy() > LOW / 2).sum(1).tolist() == [6, 1, 0, 2]


def test_no_texts(windows):
    features, *logits = windows
    none = {name: value[:0] for name, value in features.items()}
    found = best_spans(
        none, *(part[:0] for part in logits), n_best=2, max_answer_length=3, copies=2
    )
    answers = answers_of(found, none["contexts"], 0.0)
    assert {tuple(value.shape) for value in answers.values()} == {(0,), (0, 2)}
