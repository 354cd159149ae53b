"""Questions, contexts and answers in SQuAD's JSON; errors name the file and the place."""

import dataclasses
import warnings

from tf_bertembed import common
from tf_bertembed.text.surrogates import half_pair

ABSENT = -1
SHOWN = 60


@dataclasses.dataclass(frozen=True)
class SquadExample:
    """A question, the text to answer it from, and the answers if they are known.

    Args:
        id: string. The name of the question, once in a file.
        question: string. The question.
        context: string. The text that may hold the answer.
        answers: tuple of pairs `(text, start)`. Each answer as written, and
            the code point of `context` where it stands; -1 for one that the
            context does not have, which counts as an answer but cannot be
            trained on.
        impossible: bool. Whether the context is known to hold no answer
            (SQuAD 2.0).

    Example:

    ```python
    from tf_bertembed import text

    example = text.SquadExample("1", "谁住在北京？", "🙂我住在北京。", (("我", 1),))
    assert example.context[example.span[0] : example.span[1]] == "我"
    ```
    """

    id: str
    question: str
    context: str
    answers: tuple = ()
    impossible: bool = False

    @property
    def span(self):
        """The code points `(start, end)` of the first answer that can be trained on.

        `(-1, -1)` where the question is impossible, and `None` where nothing
        is known.
        """
        for answer, start in self.answers:
            if start != ABSENT:
                return start, start + len(answer)
        return (ABSENT, ABSENT) if self.impossible else None


@dataclasses.dataclass(frozen=True)
class SquadRepairs:
    """What a file of questions had wrong that does not stop its reading.

    Args:
        moved: tuple of strings. Per answer that stood elsewhere in its context
            than at its offset, and was moved there, the id of its question.
        absent: tuple of strings. Likewise for answers that stand nowhere in
            their context.

    Example:

    ```python
    from tf_bertembed import text

    assert len(text.SquadRepairs(moved=("q1",)).moved) == 1
    ```
    """

    moved: tuple = ()
    absent: tuple = ()


def read_squad(path, labelled=True):
    """Read a file in the format of SQuAD 1.1 or 2.0.

    `answer_start` counts code points. An answer that does not stand at its
    offset is looked for: the nearest place of its context that has it becomes
    its place. One that the context lacks altogether keeps its text, which is
    what answers are compared with, and has no place. A warning tells how many
    there are of each.

    Args:
        path: string or `pathlib.Path`. The JSON file, gzipped or not.
        labelled: bool. Whether each question needs `answers`, or
            `is_impossible`.

    Returns:
        A pair: the list of `SquadExample`s in the order of the file, and the
        `SquadRepairs`.

    Raises:
        MissingFileError: where there is no such file.
        FileFormatError: where the file is no JSON (with the line) or not of
            this format, a question, a context or an answer is empty, an answer
            that its context lacks has an offset outside of it, an id stands
            twice, or no question is there; with article, paragraph and
            question.

    Example:

    ```python
    import json
    from tf_bertembed import text

    answer = {"text": "北京", "answer_start": 3}
    question = {"id": "q1", "question": "Where?", "answers": [answer]}
    paragraph = {"context": "我住在北京。", "qas": [question]}
    with open("dev.json", "w", encoding="utf-8") as file:
        json.dump({"version": "1.1", "data": [{"paragraphs": [paragraph]}]}, file)
    examples, repairs = text.read_squad("dev.json")
    assert examples[0].answers == (("北京", 3),) and not repairs.moved
    ```

    References:
        Rajpurkar et al., 2016, https://arxiv.org/abs/1606.05250; 2018,
        https://arxiv.org/abs/1806.03822
    """
    reader = _Reader(path, labelled)
    examples = reader.read()
    repairs = SquadRepairs(tuple(reader.moved), tuple(reader.absent))
    if repairs.moved or repairs.absent:
        count = sum(len(example.answers) for example in examples)
        warnings.warn(
            f"{path}: {len(repairs.moved) + len(repairs.absent)} of {count} answers do not stand "
            f"at their offset: {len(repairs.moved)} were moved to where their text stands, "
            f"{len(repairs.absent)} stand nowhere in their context and cannot be trained on.",
            stacklevel=2,
        )
    return examples, repairs


def nearest(context, answer, start):
    """Where in a context an answer stands, as near to `start` as can be; -1 for nowhere."""
    start = min(max(start, 0), len(context))
    before = context.rfind(answer, 0, start + len(answer))
    after = context.find(answer, start)
    if ABSENT in (before, after):
        return max(before, after)
    return before if start - before <= after - start else after


class _Reader:
    """One pass over one file."""

    def __init__(self, path, labelled):
        self.path, self.labelled = path, labelled
        self.moved, self.absent = [], []
        self._seen = {}

    def read(self):
        articles = self._get(common.read_json(self.path, "SQuAD's JSON."), "data", list, "the file")
        examples = []
        for number, article in enumerate(articles, start=1):
            place = f"article {number}"
            paragraphs = self._get(article, "paragraphs", list, place)
            for count, paragraph in enumerate(paragraphs, start=1):
                examples += self._paragraph(paragraph, f"{place}, paragraph {count}")
        if not examples:
            raise self._error("No question was found.")
        return examples

    def _paragraph(self, paragraph, place):
        context = self._text(paragraph, "context", place)
        questions = self._get(paragraph, "qas", list, place)
        for number, entry in enumerate(questions, start=1):
            yield self._question(entry, context, f"{place}, question {number}")

    def _question(self, entry, context, place):
        name = self._get(entry, "id", (str, int), place)
        name = str(name)
        place = f"{place} (id {name!r:.{SHOWN}})"
        if name in self._seen:
            raise self._error(f"{place}: this id stands at {self._seen[name]} too.")
        self._seen[name] = place
        question = self._text(entry, "question", place)
        impossible = entry.get("is_impossible", False)
        if not isinstance(impossible, bool):
            raise self._error(
                f"{place}: `is_impossible` must be true or false. "
                f"Received: {impossible!r:.{SHOWN}}."
            )
        answers = ()
        if "answers" in entry or (self.labelled and not impossible):
            given = self._get(entry, "answers", list, place)
            answers = tuple(self._answer(answer, context, name, place) for answer in given)
        if impossible and answers:
            raise self._error(
                f"{place}: an impossible question has no `answers`, only `plausible_answers`. "
                f"Received: {len(answers)}."
            )
        if self.labelled and not answers and not impossible:
            raise self._error(
                f'{place}: a question without answers must say "is_impossible": true. '
                "Received: no answer."
            )
        return SquadExample(name, question, context, answers, impossible)

    def _answer(self, entry, context, name, place):
        answer = self._text(entry, "text", f"{place}, an answer")
        start = self._get(entry, "answer_start", int, f"{place}, answer {answer!r:.{SHOWN}}")
        if start >= 0 and context.startswith(answer, start):
            return answer, start
        found = nearest(context, answer, start)
        if found == ABSENT and not ABSENT <= start < len(context):
            raise self._error(
                f"{place}: the answer {answer!r:.{SHOWN}} lies outside of its context of "
                f"{len(context)} characters. Received: answer_start {start}."
            )
        (self.absent if found == ABSENT else self.moved).append(name)
        return answer, found

    def _text(self, entry, key, place):
        value = self._get(entry, key, str, place)
        if not value.strip():
            raise self._error(f"{place}: `{key}` is empty. Received: {value!r:.{SHOWN}}.")
        half = half_pair(value)
        if half is not None:
            raise self._error(f"{place}: `{key}` must be text. Received: {half}.")
        return value

    def _get(self, entry, key, kind, place):
        if not isinstance(entry, dict):
            raise self._error(f"{place}: a JSON object was expected. Received: {entry!r:.{SHOWN}}.")
        if key not in entry:
            keys = ", ".join(entry) or "none"
            raise self._error(f"{place}: the key `{key}` is missing. Received keys: {keys:.200}.")
        value = entry[key]
        if not isinstance(value, kind) or isinstance(value, bool):
            expected = {list: "a list", str: "a string", int: "a whole number"}
            raise self._error(
                f"{place}: `{key}` must be {expected.get(kind, 'a string')}. "
                f"Received: {value!r:.{SHOWN}}."
            )
        return value

    def _error(self, problem):
        return common.FileFormatError(self.path, f"{problem[0].upper()}{problem[1:]}")
