"""What a tagger answers: in memory, and as an exported model."""

import tensorflow as tf

from tf_bertembed.common import BertEmbedError
from tf_bertembed.tasks.tagging.entity_spans import EntitySpans
from tf_bertembed.tasks.text_embedding import mean_embedding
from tf_bertembed.text import marks_entities
from tf_bertembed.text.preprocessor import text_features

ENTITY = {"text": "entities", "label": "entity_labels", "start": "entity_starts"}
ENTITY |= {"end": "entity_ends", "score": "entity_scores"}


class TaggerAnswers:
    """The part of a `TokenClassifier` that turns logits into tags and entities.

    The task has `labels` and a `preprocessor`.
    """

    @property
    def has_entities(self):
        """Whether the labels are tags of entities, such as `B-PER`."""
        return marks_entities(self.labels)

    def signatures(self):
        """What an exported model answers.

        Returns:
            A dict of functions from features to named tensors.
            `serving_default`, of those of a `TaggingPreprocessor`, gives
            `words` and `tags` `[B, W]` (strings, `""` behind the last),
            `scores` `[B, W]` (the tag's probability, 0 there), `starts` and
            `ends` `[B, W]` int32 (code points of the text, -1 there). Where
            the labels are tags of entities, also `entities` `[B, E]`, the
            part of the text, with `entity_labels`, `entity_starts`,
            `entity_ends` and `entity_scores`, the mean of its words' scores.
            `embed` gives `embedding` `[B, D]` float32, the mean of
            `sequence_output` over the first `sequence_length` pieces of the
            text.

        Example:

        ```python
        from tf_bertembed import models, tasks

        tagger = tasks.TokenClassifier(models.BertEmbedBackbone(100, 1, 2, 8, 16), ["O", "B"])
        assert list(tagger.signatures()) == ["serving_default", "embed"]
        ```
        """

        def tag(features):
            logits = self({name: features[name] for name in self.input}, training=False)
            known = features["word_places"] >= 0
            starts, ends = features["word_starts"], features["word_ends"]
            return self._served(logits, known, features["texts"], features["words"], starts, ends)

        return {"serving_default": tag, "embed": mean_embedding(self.backbone)}

    def signature_inputs(self):
        """The features of the signatures that read others than those of words.

        Returns:
            A dict: `embed` takes `text`, and the features of texts.
        """
        return {"embed": (("text",), lambda texts: text_features(self.preprocessor, *texts))}

    def answer(self, x, batch_size=32):
        """Answer as an exported model does, ready for JSON.

        Args:
            x: list of N lists of words, or of N texts.
            batch_size: int. Texts in a step.

        Returns:
            A list of N dicts: the lists `words`, `tags`, `scores`, `starts`
            and `ends`; where the labels are tags of entities, also the list
            `entities` of dicts with `text`, `label`, `start`, `end` and
            `score`. Places are code points of the text; of words, in the text
            that they make joined by spaces (with `split="characters"` by
            nothing).

        Raises:
            BertEmbedError: where there is no preprocessor, or a row is neither
                words nor a text.

        Example:

        ```python
        from tf_bertembed import models, tasks, text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "ada", "wrote"])
        tagger = tasks.TokenClassifier(
            models.BertEmbedBackbone(7, 1, 2, 8, 16, max_sequence_length=16),
            ["O", "B-PER", "I-PER"],
            text.TaggingPreprocessor(tokenizer, sequence_length=16),
        )
        (answer,) = tagger.answer(["🙂 Ada wrote"])
        assert answer["words"] == ["🙂", "Ada", "wrote"] and answer["starts"] == [0, 2, 6]
        ```
        """
        if self.preprocessor is None:
            raise BertEmbedError("Texts are tagged by a task with a `preprocessor`.")
        x = self._texts(x)
        found = []
        with tf.device("cpu"):
            logits = self.predict(x, batch_size=batch_size, verbose=0)
            for begin in range(0, len(logits), batch_size):
                rows = slice(begin, begin + batch_size)
                found += self._answers(logits[rows], *self.preprocessor.split_words(x[rows]))
        return found

    def _answers(self, logits, texts, words, starts, ends):
        counts = words.row_lengths().numpy()
        known = tf.sequence_mask(counts, logits.shape[1])

        def padded(ragged, filler):
            return ragged.to_tensor(filler, shape=[None, logits.shape[1]])

        served = self._served(
            logits, known, texts, padded(words, ""), padded(starts, -1), padded(ends, -1)
        )
        served = {name: value.numpy() for name, value in served.items()}
        return [self._answer(served, row, count) for row, count in enumerate(counts)]

    def _answer(self, served, row, count):
        answer = {
            name: _plain(served[name][row, :count])
            for name in ("words", "tags", "scores", "starts", "ends")
        }
        if "entities" in served:
            number = int((served["entity_starts"][row] >= 0).sum())
            columns = [_plain(served[column][row, :number]) for column in ENTITY.values()]
            answer["entities"] = [
                dict(zip(ENTITY, entity, strict=True)) for entity in zip(*columns, strict=True)
            ]
        return answer

    def _served(self, logits, known, texts, words, starts, ends):
        """Named tensors out of logits [B, W, C], texts [B], and the rest [B, W]."""
        best = tf.argmax(logits, axis=-1, output_type=tf.int32)
        scores = tf.reduce_max(tf.nn.softmax(logits, axis=-1), axis=-1)
        scores = tf.where(known, scores, 0.0)
        with tf.device("cpu"):
            served = {
                "words": words,
                "tags": tf.where(known, tf.gather(tf.constant(self.labels), best), ""),
                "scores": scores,
                "starts": starts,
                "ends": ends,
            }
            if self.has_entities:
                served |= self._entities(best, known, texts, scores, starts, ends)
        return served

    def _entities(self, best, known, texts, scores, starts, ends):
        spans = EntitySpans(self.labels)
        rows, first, last, kinds = spans(best, known)
        start = tf.gather_nd(starts, tf.stack([rows, first], axis=1))
        end = tf.gather_nd(ends, tf.stack([rows, last], axis=1))
        parts = tf.strings.substr(tf.gather(texts, rows), start, end - start, unit="UTF8_CHAR")
        inside = tf.ragged.range(first, last + 1)
        entity = inside.value_rowids()
        of_words = tf.gather_nd(scores, tf.stack([tf.gather(rows, entity), inside.values], axis=1))
        batch = tf.shape(best, out_type=tf.int64)[0]

        def table(values, filler):
            ragged = tf.RaggedTensor.from_value_rowids(
                values, tf.cast(rows, tf.int64), batch, validate=False
            )
            return ragged.to_tensor(filler)

        return {
            ENTITY["text"]: table(parts, ""),
            ENTITY["label"]: table(tf.gather(tf.constant(spans.types), kinds), ""),
            ENTITY["start"]: table(start, -1),
            ENTITY["end"]: table(end, -1),
            ENTITY["score"]: table(tf.math.segment_mean(of_words, entity), 0.0),
        }


def _plain(values):
    if values.dtype == object:
        return [value.decode("utf-8", "replace") for value in values]
    return values.tolist()
