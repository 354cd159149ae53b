"""What a classifier answers: in memory, and as an exported model."""

import tensorflow as tf
from keras import ops


class ClassifierAnswers:
    """The part of a `TextClassifier` that turns logits into names and probabilities.

    The task has `labels`, `multi_label`, `threshold` and `pair`.
    """

    @property
    def text_inputs(self):
        """The names of the strings that an exported model takes."""
        return ("text_a", "text_b") if self.pair else ("text",)

    def signatures(self):
        """What an exported model answers.

        Returns:
            A dict of functions from features to named tensors, the first
            dimension of each the batch: `serving_default` gives `label` `[B]`
            (with `multi_label` instead `labels` `[B, C]`, `""` behind the
            last) and `classes` `[B, C]` (strings) and `probabilities`
            `[B, C]`; `classify`, for TensorFlow Serving's requests of that
            name, `classes` and `scores` `[B, C]`; `embed` gives `embedding`
            `[B, D]`.

        Example:

        ```python
        from tf_bertembed import models, tasks

        classifier = tasks.TextClassifier(models.BertEmbedBackbone(100, 1, 2, 8, 16), 2)
        assert sorted(classifier.signatures()) == ["classify", "embed", "serving_default"]
        ```
        """

        # Outside of the graphs, which so hold the names once together.
        with tf.device("cpu"):
            names = tf.constant(self.labels)

        def answer(features):
            logits = self(features, training=False)
            probabilities = self.probabilities(logits)
            classes = tf.tile(names[tf.newaxis], [tf.shape(logits)[0], 1])
            if self.multi_label:
                chosen = tf.ragged.boolean_mask(classes, probabilities >= self.threshold)
                best = {"labels": chosen.to_tensor("", shape=[None, len(self.labels)])}
            else:
                best = {"label": tf.gather(names, tf.argmax(logits, axis=-1))}
            return {**best, "probabilities": probabilities, "classes": classes}

        def classify(features):
            answered = answer(features)
            return {"classes": answered["classes"], "scores": answered["probabilities"]}

        def embed(features):
            outputs = self.backbone(features, training=False)
            pooled = self._pool(outputs, features["padding_mask"])
            return {"embedding": tf.cast(pooled, tf.float32)}

        return {"serving_default": answer, "classify": classify, "embed": embed}

    def probabilities(self, logits):
        """Turn logits into probabilities.

        Args:
            logits: tensor or array `[B, C]`, as `predict` gives them.

        Returns:
            A float32 tensor `[B, C]`: shares of 1, or with `multi_label` the
            probability of each label for itself.

        Example:

        ```python
        from tf_bertembed import models, tasks

        classifier = tasks.TextClassifier(models.BertEmbedBackbone(100, 1, 2, 8, 16), 2)
        assert classifier.probabilities([[0.0, 0.0]]).numpy().tolist() == [[0.5, 0.5]]
        ```
        """
        logits = ops.convert_to_tensor(logits, "float32")
        return ops.sigmoid(logits) if self.multi_label else ops.softmax(logits, axis=-1)

    def answer(self, x, batch_size=32):
        """Answer as an exported model does, ready for JSON.

        Args:
            x: strings `[N]`, or a tuple of two such for pairs.
            batch_size: int. Texts in a step.

        Returns:
            A list of N dicts: `label`, or with `multi_label` the list
            `labels`; and `probabilities`, a dict from names to floats.

        Raises:
            BertEmbedError: where a row is no text (the message names it).

        Example:

        ```python
        from tf_bertembed import models, tasks, text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "good", "bad"])
        classifier = tasks.TextClassifier(
            models.BertEmbedBackbone(7, 1, 2, 8, 16, max_sequence_length=16),
            ["no", "yes"],
            text.Preprocessor(tokenizer, sequence_length=16),
        )
        (answer,) = classifier.answer(["good"])
        assert answer["label"] in ("no", "yes") and len(answer["probabilities"]) == 2
        ```
        """
        logits = self.predict(x, batch_size=batch_size, verbose=0)
        found = self.probabilities(logits).numpy()
        # Of logits, as the exported model does: of the surest probabilities several may be 1.
        best = logits.argmax(axis=-1)
        return [self._answer(*row) for row in zip(found, best, strict=True)]

    def _answer(self, probabilities, best):
        by_name = dict(zip(self.labels, probabilities.tolist(), strict=True))
        if not self.multi_label:
            return {"label": self.labels[best], "probabilities": by_name}
        # Compared as float32, as the exported model does.
        chosen = (probabilities >= self._float32_threshold()).nonzero()[0]
        return {"labels": [self.labels[number] for number in chosen], "probabilities": by_name}

    def _float32_threshold(self):
        return ops.convert_to_numpy(ops.cast(self.threshold, "float32"))
