"""Examples for masked-language-model and next-sentence training."""

import math
import re

import numpy as np
import tensorflow as tf

from tf_bertembed import common
from tf_bertembed.text.batches import without_autotuning
from tf_bertembed.text.spans import Corpus, pair_spans, window_spans
from tf_bertembed.text.vocabulary import SPECIAL_TOKENS

MASKED, KEPT = 0.8, 0.9  # 80% [MASK], 10% the piece itself, 10% another one
SHORT_RATE = 0.1


class PretrainingExamples:
    """Masked, paired examples out of documents, fresh in every epoch.

    Documents are cut into pieces once. Each epoch then draws, from the seed
    and the epoch's number, where texts are cut, which pairs of texts follow
    one another (half do) and which pieces are masked. Any step can be made
    without the steps before it, so a run that was stopped goes on with the
    batches that it would have seen.

    Of the pieces to predict, 80% become `[MASK]`, 10% another piece, and 10%
    stay. `[CLS]`, `[SEP]`, `[PAD]` and `[UNK]` are never predicted, and no
    special token is drawn as the other piece. Wherever a piece is predicted,
    `static_ids` is 0 on all pieces of its word: the vector of the whole word
    would give the answer away.

    Args:
        documents: iterable of lists of strings. Each document is a list of
            its sentences or paragraphs.
        tokenizer: `BertEmbedTokenizer`. The tokenizer.
        sequence_length: int. The pieces of an example, special tokens
            included; examples are padded to it.
        batch_size: int. The examples of a batch.
        mask_rate: float. The share of pieces to predict.
        seed: int. Seed of everything that is drawn.
        static_words: list of strings. The words that have a vector, as for
            `Preprocessor`; `None` for no `static_ids`.
        next_sentence: bool. Whether to make pairs, of which half follow one
            another, or single texts.
        fresh_masks: bool. Whether each epoch draws anew, in a new order.
            Without, every epoch is the same: right for a dev set.
        drop_remainder: bool. Whether to leave out a last, smaller batch;
            `None` to do so with `fresh_masks` only.

    Example:

    ```python
    from gensim.test.utils import datapath
    from tf_bertembed import text

    documents = text.read_documents(datapath("lee_background.cor"), one_document_per_line=True)
    documents = [document[0].split(". ") for document in documents[:20]]
    vocabulary = text.train_vocabulary([s for d in documents for s in d], 500)
    examples = text.PretrainingExamples(
        documents, text.BertEmbedTokenizer(vocabulary), sequence_length=64, batch_size=4
    )
    for features, labels, weights in examples.epoch(0).take(1):
        assert features["token_ids"].shape == (4, 64)
        assert labels["masked_lm"].shape == weights["masked_lm"].shape == (4, 10)
        assert labels["next_sentence"].shape == (4,)
    ```

    References:
    - [Devlin et al., 2018](https://arxiv.org/abs/1810.04805), appendix A.
    """

    def __init__(
        self,
        documents,
        tokenizer,
        sequence_length=128,
        batch_size=32,
        mask_rate=0.15,
        seed=0,
        static_words=None,
        next_sentence=True,
        fresh_masks=True,
        drop_remainder=None,
    ):
        if not 0 < mask_rate < 1:
            raise common.BertEmbedError(
                f"`mask_rate` must be between 0 and 1. Received: {mask_rate}."
            )
        if sequence_length < 8 or batch_size < 1:
            raise common.BertEmbedError(
                "`sequence_length` must be at least 8 and `batch_size` at least 1. Received: "
                f"sequence_length={sequence_length}, batch_size={batch_size}."
            )
        self.tokenizer = tokenizer
        self.sequence_length = sequence_length
        self.batch_size = batch_size
        self.mask_rate = mask_rate
        self.seed = seed
        self.next_sentence = next_sentence
        self.fresh_masks = fresh_masks
        self.drop_remainder = fresh_masks if drop_remainder is None else drop_remainder
        self.max_predictions = math.ceil(mask_rate * sequence_length)
        self.corpus = Corpus(documents, tokenizer, static_words)
        if next_sentence and len(self.corpus.documents) < 3:
            raise common.BertEmbedError(
                "`next_sentence` draws texts that do not follow from other documents, so at least "
                f"2 documents are needed. Received: {len(self.corpus.documents) - 1}. Pass "
                "`next_sentence=False` to do without."
            )
        self._has_static = static_words is not None
        special = [
            piece in SPECIAL_TOKENS or bool(re.fullmatch(r"\[unused\d+\]", piece))
            for piece in tokenizer.get_vocabulary()
        ]
        self._maskable = ~np.array(special)
        self._drawable = np.flatnonzero(self._maskable).astype(np.int32)
        if not len(self._drawable):
            raise common.BertEmbedError("The vocabulary holds special tokens only.")
        # Pairs vary in number from epoch to epoch; the first epoch sets the number of all.
        spans = self._draw_spans(0)
        self.num_examples = len(spans)
        self._drawn = (0, spans)
        steps = self.num_examples / batch_size
        self.steps_per_epoch = math.floor(steps) if self.drop_remainder else math.ceil(steps)
        if self.steps_per_epoch < 1:
            raise common.BertEmbedError(
                f"The documents make {self.num_examples} examples, fewer than one batch of "
                f"{batch_size}. Pass a smaller `batch_size` or `drop_remainder=False`."
            )

    def piece_counts(self):
        """Count how often each piece occurs in the documents.

        Returns:
            An int array `[vocabulary_size]`.

        Example:

        ```python
        from tf_bertembed import text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "one", "two"])
        examples = text.PretrainingExamples(
            [["one two", "two"], ["two one", "one"]], tokenizer, 16, batch_size=1
        )
        assert examples.piece_counts().tolist() == [0, 0, 0, 0, 0, 3, 3]
        ```
        """
        # The last entry stands for "no piece".
        return np.bincount(self.corpus.pieces[:-1], minlength=self.tokenizer.vocabulary_size())

    def epoch(self, index):
        """Make the batches of one epoch.

        Args:
            index: int. The epoch, counted from 0. Without `fresh_masks` all
                are the same.

        Returns:
            A `tf.data.Dataset` of `(features, labels, sample_weights)` that
            ends after `steps_per_epoch` batches. Features are `token_ids`,
            `segment_ids`, `padding_mask`, `mask_positions` and, with
            `static_words`, `static_ids`; labels are `masked_lm` [B, M] and,
            with pairs, `next_sentence` [B], 1 where the second text follows.

        Example:

        ```python
        from tf_bertembed import text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "one", "two"])
        examples = text.PretrainingExamples(
            [["one two", "two"], ["two one", "one"]], tokenizer, 16, batch_size=1
        )
        assert len(list(examples.epoch(3))) == examples.steps_per_epoch
        ```
        """
        first = index * self.steps_per_epoch
        return self._dataset(lambda: range(first, first + self.steps_per_epoch)).apply(
            tf.data.experimental.assert_cardinality(self.steps_per_epoch)
        )

    def dataset(self, start_step=0):
        """Make batches without end, epoch after epoch, from any step on.

        Args:
            start_step: int. The step to begin with, counted from 0.

        Returns:
            An endless `tf.data.Dataset`, for `fit` with `steps_per_epoch`.

        Example:

        ```python
        from tf_bertembed import text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "one", "two"])
        examples = text.PretrainingExamples(
            [["one two", "two"], ["two one", "one"]], tokenizer, 16, batch_size=1
        )
        third = list(examples.dataset().take(3))[2]
        again = next(iter(examples.dataset(start_step=2)))
        assert (third[0]["token_ids"].numpy() == again[0]["token_ids"].numpy()).all()
        ```
        """

        def steps():
            step = start_step
            while True:
                yield step
                step += 1

        return self._dataset(steps)

    def batch(self, step):
        """Make the batch of one step as NumPy arrays.

        Args:
            step: int. The step, counted from 0 over all epochs.

        Returns:
            A tuple of three dicts: features, labels, sample weights.

        Example:

        ```python
        from tf_bertembed import text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "one", "two"])
        examples = text.PretrainingExamples(
            [["one two", "two"], ["two one", "one"]], tokenizer, 16, batch_size=1
        )
        features, labels, weights = examples.batch(0)
        assert features["token_ids"][0, 0] == tokenizer.cls_token_id
        ```
        """
        epoch, place = divmod(step, self.steps_per_epoch)
        epoch = epoch if self.fresh_masks else 0
        spans = self._epoch_spans(epoch)[place * self.batch_size :][: self.batch_size]
        rng = np.random.default_rng(common.derive_seed(self.seed, "masks", epoch, place))
        features, word = self._assemble(spans)
        masked_lm, weights = self._mask(features, word, rng)
        labels, sample_weights = {"masked_lm": masked_lm}, {"masked_lm": weights}
        if self.next_sentence:
            labels["next_sentence"] = spans[:, 4].astype(np.int32)
            sample_weights["next_sentence"] = np.ones(len(spans), np.float32)
        return features, labels, sample_weights

    def _draw_spans(self, epoch):
        rng = np.random.default_rng(common.derive_seed(self.seed, "spans", epoch))
        if self.next_sentence:
            spans = pair_spans(self.corpus, self.sequence_length - 3, rng, SHORT_RATE)
        else:
            spans = window_spans(
                self.corpus, self.sequence_length - 2, rng if self.fresh_masks else None
            )
        return rng.permutation(spans) if self.fresh_masks else spans

    def _epoch_spans(self, epoch):
        drawn, spans = self._drawn
        if drawn != epoch:
            spans = self._draw_spans(epoch)
            self._drawn = (epoch, spans)
        return spans[np.arange(self.num_examples) % len(spans)]

    def _assemble(self, spans):
        """Unmasked features, and the number of the word that each column belongs to."""
        a, a_end, b, b_end, _ = spans.T[:, :, np.newaxis]
        column = np.arange(self.sequence_length)[np.newaxis]
        separator = 1 + a_end - a
        end = separator + 1 + b_end - b if self.next_sentence else separator
        in_first = (column > 0) & (column < separator)
        in_second = (column > separator) & (column < end)
        place = np.where(
            in_first, a + column - 1, np.where(in_second, b + column - separator - 1, -1)
        )
        tokens = self.corpus.pieces[place]
        tokens[:, 0] = self.tokenizer.cls_token_id
        tokens[(column == separator) | (column == end)] = self.tokenizer.sep_token_id
        # A span may begin amid a word, whose pieces are then not those of the column before.
        starts = self.corpus.starts[place] | (column == 1) | (column == separator + 1)
        features = {
            "token_ids": tokens,
            "segment_ids": ((column > separator) & (column <= end)).astype(np.int32),
            "padding_mask": column <= end,
        }
        if self._has_static:
            features["static_ids"] = self.corpus.rows[place]
        return features, np.cumsum(starts, axis=1)

    def _mask(self, features, word, rng):
        """Mask `token_ids` and hide `static_ids` in place; the ids asked for and their weights."""
        tokens, count = features["token_ids"], self.max_predictions
        row = np.arange(len(tokens))[:, np.newaxis]
        candidates = features["padding_mask"] & self._maskable[tokens]
        wanted = np.rint(features["padding_mask"].sum(axis=1) * self.mask_rate)
        wanted = np.minimum(np.clip(wanted, 1, count), candidates.sum(axis=1))
        scores = np.where(candidates, rng.random(tokens.shape), 2.0)
        chosen = np.argsort(scores, axis=1)[:, :count]
        chosen[np.arange(count) >= wanted[:, np.newaxis]] = self.sequence_length
        positions = np.sort(chosen, axis=1)
        weights = positions < self.sequence_length
        positions = np.where(weights, positions, 0)
        ids = np.where(weights, tokens[row, positions], 0)
        dice = rng.random(positions.shape)
        other = self._drawable[rng.integers(len(self._drawable), size=positions.shape)]
        new = np.where(
            dice < MASKED, self.tokenizer.mask_token_id, np.where(dice < KEPT, ids, other)
        )
        at = np.nonzero(weights)[0], positions[weights]
        tokens[at] = new[weights]
        if self._has_static:
            hidden = np.zeros((len(tokens), self.sequence_length + 1), bool)
            hidden[at[0], word[at]] = True
            features["static_ids"][hidden[row, word]] = 0
        features["mask_positions"] = positions.astype(np.int32)
        return ids.astype(np.int32), weights.astype(np.float32)

    def _dataset(self, steps):
        # Taken from a real batch, so that the two cannot part.
        size = self.batch_size if self.drop_remainder else None
        signature = tf.nest.map_structure(
            lambda value: tf.TensorSpec([size, *value.shape[1:]], value.dtype), self.batch(0)
        )
        batches = tf.data.Dataset.from_generator(
            lambda: map(self.batch, steps()), output_signature=signature
        )
        return without_autotuning(batches.prefetch(2))
