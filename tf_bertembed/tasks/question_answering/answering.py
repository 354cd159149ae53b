"""What a question answerer answers: in memory, and as an exported model."""

import numpy as np
import tensorflow as tf

from tf_bertembed.common import BertEmbedError, check_at_least
from tf_bertembed.tasks.question_answering.scores import best_threshold, score_answer, score_answers
from tf_bertembed.tasks.question_answering.spans import LOW, answers_of, best_spans
from tf_bertembed.tasks.question_answering.windows import Windows
from tf_bertembed.tasks.text_embedding import mean_embedding
from tf_bertembed.text.preprocessor import text_features

# What is kept of a text until its answer is found is a few rows of logits.
TEXTS_AT_ONCE = 256
OUTPUTS = ("start_logits", "end_logits")


class QuestionAnswers:
    """The part of a `QuestionAnswerer` that turns logits into answers."""

    def signatures(self):
        """What an exported model answers.

        Returns:
            A dict of functions from features to named tensors of B texts.
            `serving_default` gives `answer` `[B]` string, the characters of the
            context, `""` for no answer; `score` `[B]`, its probability among
            all spans and no answer; `start` and `end` `[B]` int32, the code
            points of the context that it is, 0 and 0 for no answer;
            `no_answer_score` `[B]`; and of the best spans, whether or not no
            answer is better, `answers`, `scores`, `starts` and `ends`
            `[B, n_best]`: `""`, 0, 0 and 0 where the context has fewer.
            `embed`, of single texts, gives `embedding` `[B, D]` float32, the
            mean of `sequence_output`.

        Example:

        ```python
        from tf_bertembed import models, tasks

        answerer = tasks.QuestionAnswerer(models.BertEmbedBackbone(100, 1, 2, 8, 16))
        assert list(answerer.signatures()) == ["serving_default", "embed"]
        ```
        """

        def answer(features):
            logits = self(self.inputs_of(features), training=False)
            found = self._spans(features, logits["start_logits"], logits["end_logits"])
            return answers_of(found, features["contexts"], self.null_threshold)

        return {"serving_default": answer, "embed": mean_embedding(self.backbone)}

    def signature_inputs(self):
        """The strings of the signatures that take others than `text_inputs`.

        Returns:
            A dict: `embed` takes `text`, and the features of single texts.
        """
        return {"embed": (("text",), lambda texts: text_features(self.preprocessor, *texts))}

    def _spans(self, features, start_logits, end_logits):
        return best_spans(
            features,
            start_logits,
            end_logits,
            self.n_best,
            self.max_answer_length,
            self.preprocessor.copies,
        )

    def answer(self, x, batch_size=32):
        """Answer as an exported model does, ready for JSON.

        Windows of like length share a batch, whatever text they are of.

        Args:
            x: list of `text.SquadExample`s, or a tuple of two lists of
                strings, questions and contexts.
            batch_size: int. Windows in a step.

        Returns:
            A list of dicts, one a text, by the names of `signatures`.

        Raises:
            BertEmbedError: where there is no preprocessor, or a row is no
                text.

        Example:

        ```python
        from tf_bertembed import models, tasks, text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "who", "sat", "a", "cat"])
        backbone = models.BertEmbedBackbone(9, 1, 2, 8, 16, max_sequence_length=16)
        answerer = tasks.QuestionAnswerer(
            backbone, text.QuestionPreprocessor(tokenizer, 16), n_best=2
        )
        (answer,) = answerer.answer((["Who sat?"], ["🙂 A cat"]))
        assert len(answer["answers"]) == 2 and answer["answer"] in "🙂 A cat"
        ```
        """
        answers = []
        for found, contexts in self._found(x, batch_size):
            columns = answers_of(found, contexts, self.null_threshold)
            columns = {name: _plain(value.numpy()) for name, value in columns.items()}
            answers += [
                dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
            ]
        return answers

    def _found(self, x, batch_size):
        """Yield the best spans, and the contexts, of a part of the texts after the other."""
        if self.preprocessor is None:
            raise BertEmbedError("Texts are answered from by a task with a `preprocessor`.")
        self.check_parts()
        check_at_least(1, batch_size=batch_size)
        questions, contexts = self._texts_of(x)
        for begin in range(0, len(questions), TEXTS_AT_ONCE):
            part = slice(begin, begin + TEXTS_AT_ONCE)
            windows = Windows(self.preprocessor, questions[part], contexts[part])
            features = windows.batch(np.arange(len(windows)))
            features["window_text"] = tf.constant(windows.owners, tf.int32)
            features["contexts"] = tf.constant(contexts[part])
            yield self._spans(features, *self._logits(windows, batch_size)), features["contexts"]

    def _logits(self, windows, batch_size):
        shape = len(windows), windows.lengths.max()
        logits = {name: np.full(shape, LOW, "float32") for name in OUTPUTS}
        order = np.argsort(-windows.lengths, kind="stable")
        for begin in range(0, len(order), batch_size):
            rows = order[begin : begin + batch_size]
            for name, value in self._graph(self.inputs_of(windows.batch(rows))).items():
                logits[name][rows, : value.shape[1]] = value[:, : shape[1]]
        return [logits[name] for name in OUTPUTS]

    def choose_null_threshold(self, examples, batch_size=32):
        """Choose when to give no answer, so that the F1 of examples is best.

        Args:
            examples: list of `text.SquadExample`s, some of them impossible.
            batch_size: int. Windows in a step.

        Returns:
            The threshold, a float, which is now the task's `null_threshold`.

        Raises:
            BertEmbedError: where all examples have an answer, or none has.

        Example:

        ```python
        from tf_bertembed import models, tasks, text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "who", "sat", "a", "cat"])
        backbone = models.BertEmbedBackbone(9, 1, 2, 8, 16, max_sequence_length=16)
        answerer = tasks.QuestionAnswerer(backbone, text.QuestionPreprocessor(tokenizer, 16))
        examples = [
            text.SquadExample("1", "Who sat?", "A cat sat.", (("A cat", 0),)),
            text.SquadExample("2", "Who?", "A cat sat.", (), impossible=True),
        ]
        assert answerer.choose_null_threshold(examples) == answerer.null_threshold
        ```
        """
        if len({bool(example.answers) for example in examples}) != 2:
            raise BertEmbedError(
                "A threshold is chosen on examples with and without an answer. Received: "
                f"{len(examples)} examples of one kind."
            )
        margins, texts = [], []
        for found, contexts in self._found(examples, batch_size):
            margins += (found["null_logits"] - found["logits"][:, 0]).numpy().tolist()
            texts += _plain(answers_of(found, contexts, None)["answer"].numpy())
        scores = [
            score_answer(said, [answer for answer, _ in example.answers], self.language)[1]
            for said, example in zip(texts, examples, strict=True)
        ]
        impossible = [not example.answers for example in examples]
        self.null_threshold = best_threshold(margins, scores, impossible)
        return self.null_threshold

    def score(self, examples, batch_size=32):
        """Answer questions and compare with the right answers.

        Args:
            examples: list of `text.SquadExample`s with answers.
            batch_size: int. Windows in a step.

        Returns:
            A dict of floats, as `score_answers` returns it.

        Example:

        ```python
        from tf_bertembed import models, tasks, text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "who", "sat", "a", "cat"])
        backbone = models.BertEmbedBackbone(9, 1, 2, 8, 16, max_sequence_length=16)
        answerer = tasks.QuestionAnswerer(backbone, text.QuestionPreprocessor(tokenizer, 16))
        scores = answerer.score([text.SquadExample("1", "Who sat?", "A cat", (("A cat", 0),))])
        assert sorted(scores) == ["exact_match", "f1"]
        ```
        """
        said = [answer["answer"] for answer in self.answer(examples, batch_size)]
        return score_answers(examples, said, self.language)


def _plain(array):
    """Rows of an array as Python's own values."""
    if array.dtype != object:
        return array.tolist()
    return [text.decode() if isinstance(text, bytes) else _plain(text) for text in array]
