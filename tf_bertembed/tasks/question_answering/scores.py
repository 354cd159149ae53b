"""Exact match and F1 of answers, as the official scripts of SQuAD and of MLQA count them."""

import collections
import functools
import re
import string
import sys
import unicodedata

from tf_bertembed.common import BertEmbedError

LANGUAGES = ("en", "zh")
ARTICLES = re.compile(r"\b(a|an|the)\b")
# As MLQA's script draws the line, which leaves the rarer characters out.
CHINESE = "\u4e00", "\u9fa5"


@functools.cache
def _removed(language):
    """The table of characters that are no part of an answer."""
    if language == "en":
        return dict.fromkeys(map(ord, string.punctuation))
    marks = (c for c in range(sys.maxunicode + 1) if unicodedata.category(chr(c))[0] == "P")
    return dict.fromkeys([*marks, *map(ord, string.punctuation)])


def answer_words(answer, language="en"):
    """The words of an answer that count.

    Args:
        answer: string. The answer.
        language: string. `"en"`: lower-cased, without the punctuation of ASCII
            and without articles, cut at white space, as SQuAD's script does.
            `"zh"`: lower-cased, without any punctuation, each Chinese
            character a word and the rest cut at white space, as MLQA's does.

    Returns:
        List of strings.
    """
    check_language(language)
    plain = answer.lower().translate(_removed(language))
    if language == "en":
        return ARTICLES.sub(" ", plain).split()
    first, last = CHINESE
    return "".join(f" {c} " if first <= c <= last else c for c in plain).split()


def check_language(language):
    """Raise where answers of a language cannot be counted."""
    if language not in LANGUAGES:
        raise BertEmbedError(
            f"Answers are counted in {' or '.join(map(repr, LANGUAGES))}. Received: {language!r}."
        )


def _f1(predicted, gold):
    if not predicted or not gold:
        return float(predicted == gold)
    common = (collections.Counter(predicted) & collections.Counter(gold)).total()
    # Twice the product of precision and recall over their sum.
    return 2 * common / (len(predicted) + len(gold))


def score_answer(predicted, answers, language="en"):
    """Compare an answer with the right ones.

    Args:
        predicted: string. The answer; `""` for "there is none".
        answers: sequence of strings. The right ones, of which the nearest
            counts; none where there is no answer. Those of which nothing is
            left to count, such as `"the"`, are passed over.
        language: string. How answers are cut into words: `"en"` as in SQuAD's
            script, with articles and ASCII punctuation removed; `"zh"` as in
            MLQA's, by Chinese character.

    Returns:
        A pair of floats from 0 to 1: the exact match and the F1 of words.

    Raises:
        BertEmbedError: where the language is not known.

    Example:

    ```python
    from tf_bertembed import tasks

    assert tasks.score_answer("The Eiffel Tower!", ["eiffel tower"]) == (1.0, 1.0)
    exact, f1 = tasks.score_answer("北京市", ["北京"], language="zh")
    assert exact == 0 and round(f1, 2) == 0.8
    ```

    References:
        Rajpurkar et al., 2018, https://arxiv.org/abs/1806.03822; Lewis et al.,
        2020, https://arxiv.org/abs/1910.07475
    """
    words = answer_words(predicted, language)
    golds = [gold for answer in answers if (gold := answer_words(answer, language))] or [[]]
    return float(words in golds), max(_f1(words, gold) for gold in golds)


def score_answers(examples, predictions, language="en"):
    """Compare the answers to many questions with the right ones.

    Args:
        examples: sequence of N `text.SquadExample`s, with answers.
        predictions: sequence of N strings; `""` for "there is none".
        language: string. See `score_answer`.

    Returns:
        A dict of floats, means from 0 to 1: `exact_match` and `f1`; where some
        questions have no answer and others do, `has_answer_exact_match`,
        `has_answer_f1` and `no_answer_f1` besides, the last being the share of
        such questions that got no answer.

    Raises:
        BertEmbedError: where numbers differ, or the language is not known.

    Example:

    ```python
    from tf_bertembed import tasks, text

    examples = [
        text.SquadExample("1", "Who?", "A cat sat.", (("A cat", 0),)),
        text.SquadExample("2", "Why?", "A cat sat.", (), impossible=True),
    ]
    scores = tasks.score_answers(examples, ["cat", "sat"])
    assert scores["f1"] == 0.5 and scores["has_answer_f1"] == 1
    ```
    """
    if len(examples) != len(predictions) or not examples:
        raise BertEmbedError(
            "One answer a question is scored, and at least one. Received: "
            f"{len(predictions)} answers to {len(examples)} questions."
        )
    scores = [
        score_answer(predicted, [answer for answer, _ in example.answers], language)
        for example, predicted in zip(examples, predictions, strict=True)
    ]
    found = {"exact_match": _mean(scores, 0), "f1": _mean(scores, 1)}
    sides = {True: [], False: []}
    for example, score in zip(examples, scores, strict=True):
        sides[bool(example.answers)].append(score)
    if all(sides.values()):
        found["has_answer_exact_match"] = _mean(sides[True], 0)
        found["has_answer_f1"] = _mean(sides[True], 1)
        found["no_answer_f1"] = _mean(sides[False], 1)
    return found


def _mean(scores, side):
    return sum(score[side] for score in scores) / len(scores)


def best_threshold(margins, scores, impossible):
    """The margin above which "no answer" serves best.

    Args:
        margins: sequence of N floats. By how much the score of no answer is
            above that of the best answer.
        scores: sequence of N floats. What the best answers are worth.
        impossible: sequence of N bools. Whether no answer is right, which is
            then worth 1.

    Returns:
        A float in the middle between two margins, or 1 beyond the last one;
        among equally good ones that which is nearest to 0.
    """
    order = sorted(range(len(margins)), key=lambda row: margins[row])
    ordered = [margins[row] for row in order]
    places = [ordered[0] - 1, *map(_middle, ordered, ordered[1:]), ordered[-1] + 1]
    worth = float(sum(impossible))
    best, chosen = worth, places[0]
    for count, row in enumerate(order, start=1):
        worth += scores[row] - impossible[row]
        between = count == len(order) or ordered[count] > ordered[count - 1]
        better = worth > best + 1e-9
        as_good = worth > best - 1e-9 and abs(places[count]) < abs(chosen)
        if between and (better or as_good):
            best, chosen = worth, places[count]
    return float(chosen)


def _middle(one, other):
    return (one + other) / 2
