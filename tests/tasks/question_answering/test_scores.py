import pytest

from tf_bertembed import tasks, text
from tf_bertembed.common import BertEmbedError
from tf_bertembed.tasks.question_answering.scores import answer_words, best_threshold


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        # evaluate-v2.0.py: lower-cased, string.punctuation out, then a, an and the, then split.
        ("The Eiffel Tower!", ["eiffel", "tower"]),
        ("a  the an\tAnthem", ["anthem"]),
        ("U.S. state-of-the-art", ["us", "stateoftheart"]),
        ("the-end", ["theend"]),
        ("$1,000 (one)", ["1000", "one"]),
        # Punctuation that ASCII lacks stays, and divides no word; it ends one for an article.
        ("“the” cats’", ["“", "”", "cats’"]),
        ("Ünïcödé A", ["ünïcödé"]),
        ("...", []),
    ],
)
def test_english_words(answer, words):
    assert answer_words(answer) == words


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        # mlqa_evaluation_v1.py, "zh": all of Unicode's punctuation out, a character a word.
        ("北京，中国。", ["北", "京", "中", "国"]),
        ("《The Beatles》的 2010年", ["the", "beatles", "的", "2010", "年"]),
        ("A b", ["a", "b"]),
        ("龦x", ["龦x"]),
        ("—。", []),
    ],
)
def test_chinese_words(answer, words):
    assert answer_words(answer, "zh") == words


@pytest.mark.parametrize(
    ("predicted", "answers", "language", "exact", "f1"),
    [
        ("the Normans", ["Normans"], "en", 1, 1),
        # One word in common, of one predicted and three right: precision 1, recall 1/3.
        ("France", ["in northern France"], "en", 0, 2 * 1 * (1 / 3) / (1 + 1 / 3)),
        # Two of three predicted, two of four right: 2 * (2/3) * (2/4) / (2/3 + 2/4).
        ("10th and 12th", ["10th and 11th centuries"], "en", 0, 4 / 7),
        # A word counts as often as it stands in both.
        ("to be to be", ["to be or not"], "en", 0, 2 * 2 / (4 + 4)),
        # The nearest of the right answers counts, for both numbers.
        ("cat", ["dog", "a cat", "black cat"], "en", 1, 1),
        ("red", ["dog", "red dog"], "en", 0, 2 / 3),
        ("x", ["y"], "en", 0, 0),
        # No answer: only nothing is right, and what has no words is nothing.
        ("", [], "en", 1, 1),
        ("the", [], "en", 1, 1),
        ("cat", [], "en", 0, 0),
        ("", ["cat"], "en", 0, 0),
        # A right answer that has no words is passed over, as in evaluate-v2.0.py.
        ("cat", ["the", "cat"], "en", 1, 1),
        ("", ["the", "cat"], "en", 0, 0),
        ("", ["the"], "en", 1, 1),
        # Three of three, three of four.
        ("北京市", ["北京市区"], "zh", 0, 6 / 7),
        ("“北京”", ["北京"], "zh", 1, 1),
        ("京北", ["北京"], "zh", 0, 1),
        # Under the English rules they are one word each.
        ("北京市", ["北京市区"], "en", 0, 0),
    ],
)
def test_scores_of_an_answer(predicted, answers, language, exact, f1):
    assert tasks.score_answer(predicted, answers, language) == (exact, pytest.approx(f1))


def example(name, *answers):
    pairs = tuple((answer, 0) for answer in answers)
    return text.SquadExample(name, "q", "c", pairs, not answers)


def test_scores_of_many():
    examples = [example("1", "a cat"), example("2", "two dogs", "dogs"), example("3", "x")]
    scores = tasks.score_answers(examples, ["cat", "two", ""])
    assert scores == {"exact_match": pytest.approx(1 / 3), "f1": pytest.approx((1 + 2 / 3) / 3)}


def test_scores_of_both_kinds():
    examples = [example("1", "a cat"), example("2", "two dogs"), example("3"), example("4")]
    scores = tasks.score_answers(examples, ["cat", "two", "", "dog"])
    assert scores == {
        "exact_match": 0.5,
        "f1": pytest.approx((1 + 2 / 3 + 1) / 4),
        "has_answer_exact_match": 0.5,
        "has_answer_f1": pytest.approx(5 / 6),
        "no_answer_f1": 0.5,
    }


def test_what_cannot_be_scored():
    with pytest.raises(BertEmbedError, match="Received: 1 answers to 2 questions"):
        tasks.score_answers([example("1"), example("2")], ["x"])
    with pytest.raises(BertEmbedError, match=r"at least one\. Received: 0 answers to 0"):
        tasks.score_answers([], [])
    with pytest.raises(BertEmbedError, match=r"'en' or 'zh'\. Received: 'de'"):
        tasks.score_answer("x", ["x"], "de")


def worth(threshold, margins, scores, impossible):
    rows = zip(margins, scores, impossible, strict=True)
    return sum(none if margin > threshold else score for margin, score, none in rows)


@pytest.mark.parametrize(
    ("margins", "scores", "impossible", "threshold"),
    [
        # The two without an answer have the largest margins.
        ([-3.0, 1.0, -1.0, 5.0], [1.0, 0.0, 0.5, 0.0], [False, True, False, True], 0.0),
        # Never, and always: a step beyond the last margin.
        ([2.0, 4.0], [1.0, 0.0], [False, False], 3.0),
        ([2.0, 4.0], [1.0, 1.0], [False, False], 5.0),
        ([2.0, 4.0], [0.0, 0.0], [True, True], 1.0),
        # Equal margins cannot be told apart: one right either way.
        ([1.0, 1.0], [1.0, 0.0], [False, True], 0.0),
    ],
)
def test_the_best_threshold(margins, scores, impossible, threshold):
    found = best_threshold(margins, scores, impossible)
    assert found == threshold
    grid = [step / 4 for step in range(-40, 41)]
    best = max(worth(point, margins, scores, impossible) for point in grid)
    assert worth(found, margins, scores, impossible) == best
