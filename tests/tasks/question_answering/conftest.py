"""Questions about real sentences, whose answers are words of them."""

import re

import pytest

from tf_bertembed import tasks, text

LENGTH = 24


@pytest.fixture(scope="session")
def questions(reviews):
    """Every kind of context: short, of several windows, without an answer."""
    found = []
    for number, sentence in enumerate(reviews[0][:6]):
        context = f"🙂 {sentence} 北京很好" if number % 3 else sentence
        middle = list(re.finditer(r"\w+", context))[3]
        impossible = number % 4 == 3
        answers = () if impossible else ((middle[0], middle.start()),)
        question = f"what is {middle[0]} ?"
        found.append(text.SquadExample(str(number), question, context, answers, impossible))
    return found


@pytest.fixture(scope="session")
def make_answerer(make_backbone, tokenizer, words):
    def make(eagerly=True, options=None, stride=8, **arguments):
        backbone = make_backbone(**arguments)
        fused = backbone.static_embedding is not None
        preprocessor = text.QuestionPreprocessor(
            tokenizer, LENGTH, words if fused else None, stride=stride
        )
        answerer = tasks.QuestionAnswerer(
            backbone, preprocessor, **{"n_best": 3, "max_answer_length": 6, **(options or {})}
        )
        # Small weights make all spans alike.
        answerer.output_dense.kernel.assign(answerer.output_dense.kernel * 50)
        answerer.compile("adam", run_eagerly=eagerly)
        return answerer

    return make
