"""How a question answerer is fitted: on windows that are made before they are shuffled."""

import warnings

import keras
import numpy as np
import tensorflow as tf

from tf_bertembed.common import BertEmbedError, check_at_least
from tf_bertembed.tasks.base import BertEmbedTask
from tf_bertembed.tasks.epoch_order import EpochOrder
from tf_bertembed.tasks.question_answering.windows import Windows
from tf_bertembed.text import SquadExample


def _is_examples(x):
    return isinstance(x, (list, tuple)) and bool(x) and isinstance(x[0], SquadExample)


class QuestionFitting(BertEmbedTask):
    """The part of a `QuestionAnswerer` that takes examples in `fit`, `evaluate` and `predict`."""

    def preprocess_samples(self, x, y=None, sample_weight=None):
        # Windows are made before they are shuffled, since a text has any number of them.
        if isinstance(x, dict):
            return keras.utils.pack_x_y_sample_weight(self.inputs_of(x), y, sample_weight)
        return super().preprocess_samples(x, y, sample_weight)

    def windows(self, x, sample_weight=None, labelled=True):
        """Cut texts into the windows that the model sees.

        Args:
            x: list of `text.SquadExample`s, or a tuple of two lists of
                strings, questions and contexts.
            sample_weight: float `[B]`. A weight for each text.
            labelled: bool. Whether to find the answers in the windows. Texts
                whose answer is not known are left out then, with a warning.

        Returns:
            An object with a length, the number of windows.

        Raises:
            BertEmbedError: where there is no preprocessor, a row is no text,
                or no text is left.

        Example:

        ```python
        from tf_bertembed import models, tasks, text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "a", "b"])
        backbone = models.BertEmbedBackbone(7, 1, 2, 8, 16, max_sequence_length=8)
        preprocessor = text.QuestionPreprocessor(tokenizer, 8, stride=2)
        answerer = tasks.QuestionAnswerer(backbone, preprocessor)
        assert len(answerer.windows((["a"], ["b b b b b b b"]), labelled=False)) == 3
        ```
        """
        if self.preprocessor is None:
            raise BertEmbedError(
                "Texts need a `preprocessor`; without one pass features. Received: texts."
            )
        self.check_parts()
        if not _is_examples(x):
            if labelled:
                raise BertEmbedError(
                    "Training and evaluation need a list of text.SquadExample, which hold their "
                    f"answers. Received: {type(x).__name__}."
                )
            return Windows(self.preprocessor, *self._texts_of(x))
        kept = [row for row, item in enumerate(x) if not labelled or item.span is not None]
        if not kept:
            raise BertEmbedError(
                f"None of the {len(x)} examples has an answer that stands in its context."
            )
        if len(kept) < len(x):
            warnings.warn(
                f"{len(x) - len(kept)} of {len(x)} examples are left out: their answers stand "
                "nowhere in their contexts.",
                stacklevel=3,
            )
        if sample_weight is not None:
            if len(sample_weight) != len(x):
                raise BertEmbedError(
                    "`sample_weight` must hold one weight for each example. Received: "
                    f"{len(sample_weight)} for {len(x)} examples."
                )
            sample_weight = np.asarray(sample_weight)[kept]
        spans = np.array([x[row].span for row in kept], "int32") if labelled else None
        questions, contexts = self._texts_of([x[row] for row in kept])
        return Windows(self.preprocessor, questions, contexts, spans, sample_weight)

    def _texts_of(self, x):
        """Questions and contexts as two lists of strings."""
        if _is_examples(x):
            return [item.question for item in x], [item.context for item in x]
        texts = self._texts(x)
        if not isinstance(texts, tuple) or len(texts) != 2 or len({len(t) for t in texts}) != 1:
            raise BertEmbedError(
                "A list of text.SquadExample, or a tuple of as many questions as contexts, was "
                f"expected. Received: {x!r:.200}."
            )
        return texts

    def _labelled_dataset(self, x, sample_weight, batch_size, order=None):
        batch_size = 32 if batch_size is None else batch_size
        check_at_least(1, batch_size=batch_size)
        windows = self.windows(x, sample_weight)
        return windows.dataset(list(self.backbone.input), batch_size, order)

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        sample_weight=None,
        validation_data=None,
        validation_split=0.0,
        shuffle=True,
        **kwargs,
    ):
        """Train, with the manners of `keras.Model.fit`.

        Args:
            x: list of `text.SquadExample`s; or a dict of features, or a
                dataset of batches of features or of strings, as for every
                task.
            y: `None` for examples, which hold their answers; for features a
                dict of `start_logits` and `end_logits`, int `[N]`, the places
                of the first and last piece.
            batch_size: int. Windows in a step, 32 by default.
            sample_weight: float `[B]`. A weight for each example.
            validation_data: list of examples, or as for every task.
            validation_split: float. The share of the examples taken from the
                end for validation.
            shuffle: bool. Whether windows are shuffled before each epoch, in an
                order that Keras's seed and the epoch's number decide.
            **kwargs: passed to `keras.Model.fit`.

        Returns:
            A `keras.callbacks.History`.

        Raises:
            BertEmbedError: where no example can be trained on, or arguments
                are not as above.

        Example:

        ```python
        from tf_bertembed import models, tasks, text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "who", "sat", "a", "cat"])
        backbone = models.BertEmbedBackbone(9, 1, 2, 8, 16, max_sequence_length=16)
        answerer = tasks.QuestionAnswerer(backbone, text.QuestionPreprocessor(tokenizer, 16))
        examples = [text.SquadExample("1", "Who sat?", "A cat sat.", (("A cat", 0),))]
        history = answerer.fit(examples, epochs=2, verbose=0)
        assert len(history.history["loss"]) == 2
        ```
        """
        given, held_size = validation_data, kwargs.get("validation_batch_size") or batch_size
        if isinstance(given, tuple) and given and _is_examples(given[0]):
            given, _, weights = keras.utils.unpack_x_y_sample_weight(given)
            validation_data = self._labelled_dataset(given, weights, held_size)
        elif _is_examples(given):
            validation_data = self._labelled_dataset(given, None, held_size)
        shared = {"validation_data": validation_data, **kwargs}
        if not _is_examples(x):
            shared.update(validation_split=validation_split, shuffle=shuffle)
            return super().fit(x, y, batch_size, sample_weight, **shared)
        if y is not None:
            raise BertEmbedError("Examples hold their answers: `y` must be None.")
        if validation_split and validation_data is None:
            kept = int(len(x) * (1.0 - validation_split))
            if not 0 < kept < len(x):
                raise BertEmbedError(
                    "`validation_split` leaves no example on one side. Received: "
                    f"{validation_split} of {len(x)} examples."
                )
            weights = (None, None)
            if sample_weight is not None:
                weights = sample_weight[:kept], sample_weight[kept:]
            shared["validation_data"] = self._labelled_dataset(x[kept:], weights[1], held_size)
            x, sample_weight = x[:kept], weights[0]
        order = None
        if shuffle:
            order = EpochOrder()
            shared["callbacks"] = order.joined(shared.get("callbacks"))
        return super().fit(self._labelled_dataset(x, sample_weight, batch_size, order), **shared)

    def evaluate(self, x=None, y=None, batch_size=None, sample_weight=None, **kwargs):
        """Compute loss and metrics over windows; arguments as in `fit`."""
        if _is_examples(x) and not kwargs.get("_use_cached_eval_dataset"):
            x = self._labelled_dataset(x, sample_weight, batch_size)
            return super().evaluate(x, **kwargs)
        return super().evaluate(x, y, batch_size, sample_weight, **kwargs)

    def predict(self, x, batch_size=None, **kwargs):
        """Compute the logits of windows.

        Args:
            x: list of `text.SquadExample`s, a tuple of questions and contexts,
                or features, or a dataset of batches of features.
            batch_size: int. Windows in a step, 32 by default.
            **kwargs: passed to `keras.Model.predict`.

        Returns:
            A dict of `start_logits` and `end_logits`, float32 arrays `[N, T]`,
            all windows padded to the longest of them.

        Example:

        ```python
        from tf_bertembed import models, tasks, text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "who", "sat", "a", "cat"])
        backbone = models.BertEmbedBackbone(9, 1, 2, 8, 16, max_sequence_length=16)
        answerer = tasks.QuestionAnswerer(backbone, text.QuestionPreprocessor(tokenizer, 16))
        logits = answerer.predict((["Who sat?"], ["A cat sat"]), verbose=0)
        assert logits["end_logits"].shape == (1, 9)
        ```
        """
        if self.preprocessor is None or isinstance(x, (dict, tf.data.Dataset)):
            return super().predict(x, batch_size, **kwargs)
        windows = self.windows(x, labelled=False)
        width = int(windows.lengths.max())
        names = list(self.backbone.input)
        return super().predict(windows.dataset(names, batch_size or 32, width=width), **kwargs)
