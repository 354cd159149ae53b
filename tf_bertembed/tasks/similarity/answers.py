"""What a sentence encoder answers: vectors of texts, and how near those of pairs are."""

import tensorflow as tf
from keras import ops

from tf_bertembed.common import BertEmbedError
from tf_bertembed.models import TextEncoder
from tf_bertembed.tasks.similarity.pair_scores import cosine
from tf_bertembed.tasks.similarity.pair_training import is_pair
from tf_bertembed.text.checks import check_texts


class SentenceAnswers:
    """The part of `SentenceEncoder` that is asked, in memory and when exported."""

    def encode(self, texts, batch_size=None, max_pieces=None, streams=None, advance=None):
        """Compute the vectors of any number of texts, as `models.TextEncoder` does.

        Texts of like length share a batch, which is faster than `predict`.

        Args:
            texts: sequence of N strings.
            batch_size: int. The most texts in a batch; `None` for as many as
                `max_pieces` lets in.
            max_pieces: int. The most pieces in a batch once padded; `None`
                for 1024, and less where few texts are to be shared out.
            streams: int. The batches that run at a time; `None` for two, or
                for one on a single core.
            advance: function that is told how many more texts are done;
                `None` for a bar on stderr, where that is a terminal.

        Returns:
            An array `[N, D]`, float32, rows in the order of `texts`.

        Raises:
            BertEmbedError: where there is no preprocessor, or an input is no
                text.

        Example:

        ```python
        from tf_bertembed import models, tasks, text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "good", "film"])
        encoder = tasks.SentenceEncoder(
            models.BertEmbedBackbone(7, 1, 2, 8, 16), text.Preprocessor(tokenizer, 16)
        )
        assert encoder.encode(["a good film", ""]).shape == (2, 8)
        ```
        """
        return self._text_encoder().encode(texts, batch_size, max_pieces, streams, advance)

    def _text_encoder(self):
        self._require_preprocessor()
        # Tracing takes as long as many texts do.
        made_of = self.preprocessor, *self.preprocessor.made_of()
        return self._kept_encoder.get(made_of, self._new_encoder)

    def _new_encoder(self):
        return TextEncoder(self.backbone, self.preprocessor, self._pool, output_dim=self.output_dim)

    def _require_preprocessor(self):
        if self.preprocessor is None:
            raise BertEmbedError("Texts are encoded by an encoder with a `preprocessor`.")
        self.check_parts()

    def answer(self, x, batch_size=None):
        """Answer as an exported model does, ready for JSON.

        Args:
            x: strings `[N]`, or a tuple of two such for pairs.
            batch_size: int. The most texts in a batch; `None` for as many as
                `encode` lets in.

        Returns:
            A list of N dicts: for texts `embedding`, a list of D floats; for
            pairs `score`, the cosine, and under "softmax" `label` and
            `probabilities`, a dict from names to floats.

        Raises:
            BertEmbedError: where there is no preprocessor, or a row is no
                text (the message names it).

        Example:

        ```python
        from tf_bertembed import models, tasks, text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "good", "film"])
        encoder = tasks.SentenceEncoder(
            models.BertEmbedBackbone(7, 1, 2, 8, 16), text.Preprocessor(tokenizer, 16)
        )
        (answer,) = encoder.answer((["good film"], ["good film"]))
        assert abs(answer["score"] - 1) < 1e-5
        ```
        """
        if not is_pair(x):
            return [{"embedding": row.tolist()} for row in self.encode(x, batch_size)]
        columns = [check_texts(column, f"`x[{side}]`") for side, column in enumerate(x)]
        if len(columns[0]) != len(columns[1]):
            raise BertEmbedError(
                "A pair needs as many second texts as first ones. Received: "
                f"{len(columns[0])} and {len(columns[1])}."
            )
        if not columns[0]:
            return []
        # A text that stands in several pairs is encoded once.
        texts = list(dict.fromkeys(columns[0] + columns[1]))
        rows = {text: row for row, text in enumerate(texts)}
        found = self.encode(texts, batch_size)
        embeddings = tf.stack(
            [found[[rows[text] for text in column]] for column in columns], axis=1
        )
        return self._pair_answers(embeddings)

    def _pair_answers(self, embeddings):
        found = {name: value.numpy() for name, value in self._judge(embeddings).items()}
        answers = [{"score": float(score)} for score in found["score"]]
        if self.labels is not None:
            for answer, row in zip(answers, found["probabilities"], strict=True):
                answer["label"] = self.labels[row.argmax()]
                answer["probabilities"] = dict(zip(self.labels, row.tolist(), strict=True))
        return answers

    def _judge(self, embeddings):
        judged = {"score": cosine(embeddings[:, 0], embeddings[:, 1])}
        if self.labels is not None:
            judged["probabilities"] = ops.softmax(self.compare(embeddings), axis=-1)
        return judged

    def signatures(self):
        """What an exported model answers.

        Returns:
            A dict of functions from features to named tensors:
            `serving_default` and `embed` both give `embedding` `[B, D]`
            float32; `similarity`, of pairs, gives `score` `[B]`, and under
            "softmax" `label` `[B]` and `classes` `[B, C]` (strings) and
            `probabilities` `[B, C]`.

        Example:

        ```python
        from tf_bertembed import models, tasks

        encoder = tasks.SentenceEncoder(models.BertEmbedBackbone(100, 1, 2, 8, 16))
        assert sorted(encoder.signatures()) == ["embed", "serving_default", "similarity"]
        ```
        """

        with tf.device("cpu"):
            names = None if self.labels is None else tf.constant(self.labels)

        def embed(features):
            return {"embedding": self(self.inputs_of(features), training=False)}

        def similarity(features):
            judged = self._judge(self(self.inputs_of(features), training=False))
            if self.labels is not None:
                probabilities = judged["probabilities"]
                judged["label"] = tf.gather(names, tf.argmax(probabilities, axis=-1))
                judged["classes"] = tf.tile(names[tf.newaxis], [tf.shape(probabilities)[0], 1])
            return judged

        return {"serving_default": embed, "embed": embed, "similarity": similarity}

    def signature_inputs(self):
        """The strings of the signatures that take others than `text_inputs`.

        Returns:
            A dict: `similarity` takes `text_a` and `text_b`, and the features
            of pairs.
        """
        return {"similarity": (("text_a", "text_b"), self._samples)}
