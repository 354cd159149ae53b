"""Whether word vectors complete analogies: man is to woman as king is to … queen."""

import tempfile
from pathlib import Path

import numpy as np
from gensim.models import KeyedVectors

from tf_bertembed import common
from tf_bertembed.vectors.checks import check_keyed_vectors
from tf_bertembed.vectors.evaluation import evaluation_sets


def evaluate_analogies(
    keyed_vectors,
    analogies="questions-words",
    *,
    restrict_vocab=30_000,
    case_sensitive=False,
    unknown_as_zero=False,
):
    """Count the analogies that word vectors complete, by section and in all.

    Of a question `a b c d`, the word nearest to b - a + c by cosine, other
    than a, b and c, must be d. gensim's `evaluate_word_analogies` decides.
    Only the first `restrict_vocab` words take part, as answers and in
    questions; a question with any other word is left out and counted. So is
    one with a word whose vector is zeros. Unless `case_sensitive`, words are
    the same where they are in upper case, and the most frequent spelling
    stands for all. n-grams of fastText vectors are not used here.

    Args:
        keyed_vectors: gensim `KeyedVectors`. The word vectors, most frequent
            word first.
        analogies: string or `pathlib.Path`. A file of four words a line under
            lines of `: section`; or `"questions-words"`, which gensim carries.
        restrict_vocab: int. How many words take part; `None` for all. The time
            grows with it.
        case_sensitive: bool. Whether words must agree in case.
        unknown_as_zero: bool. Whether a question that is left out counts as
            not completed.

    Returns:
        A dict: `name`; `accuracy`, a fraction of 1; `questions` in the file,
        `used`, `correct` and `out_of_vocabulary`, ints;
        `out_of_vocabulary_share`; `sections`, a list of dicts of the same
        (`accuracy` is `None` where no question was used); `restrict_vocab`,
        how many words took part; `zero_vectors`, how many of them were left
        out for a vector of zeros; and the other options.

    Raises:
        MissingFileError: where there is no such file or name.
        FileFormatError: where a line is neither four words nor a section.
        BertEmbedError: where no question has all its words, or a vector is
            not finite.

    Example:

    ```python
    from tf_bertembed import vectors

    glove = vectors.load("glove-6b-50d", limit=3000)
    with open("family.txt", "w") as file:
        file.write(": family\\nman woman king queen\\nman woman boy girl\\n")
    report = vectors.evaluate_analogies(glove, "family.txt")
    assert report["used"] == 2 and report["accuracy"] == 1.0
    ```

    References:
        - [Mikolov et al., 2013](https://arxiv.org/abs/1301.3781)
    """
    common.check_limits(restrict_vocab=restrict_vocab)
    check_keyed_vectors(keyed_vectors, words=[])
    path = evaluation_sets.find(analogies, evaluation_sets.ANALOGIES, "analogies")
    sections = evaluation_sets.read_analogies(path)
    taken, part = _frequent(keyed_vectors, restrict_vocab)
    reports = []
    total = sum(map(len, sections.values()))
    with common.progress("Analogies", total=total) as advance:
        for name, questions in sections.items():
            correct, used = _complete(part, questions, case_sensitive)
            reports.append(_report(name, len(questions), used, correct, unknown_as_zero))
            advance(len(questions))
    used = sum(section["used"] for section in reports)
    if not used:
        raise common.BertEmbedError(
            f"{path}: none of the {total} questions has all its words among the {len(part)} words "
            "of the vectors that take part. Are the vectors of this language?"
        )
    correct = sum(section["correct"] for section in reports)
    return {
        **_report(str(analogies), total, used, correct, unknown_as_zero),
        "sections": reports,
        "restrict_vocab": taken,
        "zero_vectors": taken - len(part),
        "case_sensitive": case_sensitive,
        "unknown_as_zero": unknown_as_zero,
    }


def _frequent(keyed_vectors, limit):
    """The first words alone, without vectors of zeros: gensim cannot go on after an error."""
    words = keyed_vectors.index_to_key[:limit]
    matrix = keyed_vectors.vectors[: len(words)]
    check_keyed_vectors(keyed_vectors, words)
    kept = np.flatnonzero(matrix.any(axis=1))
    part = KeyedVectors(keyed_vectors.vector_size)
    part.add_vectors([words[row] for row in kept], matrix[kept])
    return len(words), part


def _complete(part, questions, case_sensitive):
    """How many of the questions are right, and how many could be asked."""
    if not len(part):
        return 0, 0
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "analogies.txt"
        lines = [": all", *map(" ".join, questions), ""]
        place.write_text("\n".join(lines), encoding="utf-8")
        _, (section, _) = part.evaluate_word_analogies(
            str(place), restrict_vocab=len(part), case_insensitive=not case_sensitive
        )
    correct = len(section["correct"])
    return correct, correct + len(section["incorrect"])


def _report(name, questions, used, correct, unknown_as_zero):
    of = questions if unknown_as_zero else used
    return {
        "name": name,
        "accuracy": correct / of if of else None,
        "questions": questions,
        "used": used,
        "correct": correct,
        "out_of_vocabulary": questions - used,
        "out_of_vocabulary_share": (questions - used) / questions,
    }
