"""A corpus as flat arrays of pieces, and the spans of them that make examples."""

import bisect
import itertools

import numpy as np
import tensorflow as tf

from tf_bertembed import common
from tf_bertembed.text.words import WordRows, WordTable

CHUNK = 2048


class Corpus:
    """Documents cut into pieces once: flat arrays with the offsets of sentences in them.

    Attributes:
        pieces, rows, starts: [N + 1] ids, rows of words, and whether a piece
            starts a word. The last entry stands for "no piece".
        sentences: list of S + 1 ints. Sentence i is pieces[sentences[i]:sentences[i + 1]].
        documents: list of D + 1 ints. Document i is sentences documents[i] to documents[i + 1].
    """

    def __init__(self, documents, tokenizer, static_words=None):
        texts, sizes = [], []
        for document in documents:
            if isinstance(document, (str, bytes)):
                raise common.BertEmbedError(
                    "Each document must be a list of its sentences or paragraphs, not a string. "
                    f"Received: {document!r:.60}"
                )
            texts.extend(document)
            sizes.append(len(document))
        words = None if static_words is None else WordRows(tokenizer, WordTable(static_words))
        parts = []
        with common.progress("Cutting documents into pieces", len(texts)) as advance:
            for begin in range(0, len(texts), CHUNK):
                chunk = tf.constant(texts[begin : begin + CHUNK])
                parts.append(_cut(chunk, tokenizer, words))
                advance(int(chunk.shape[0]))
        lengths = np.concatenate([[0], *(part[3] for part in parts)]).astype(np.int64)[1:]
        if not lengths.sum():
            raise common.BertEmbedError("The documents hold no text.")
        none = ([tokenizer.pad_token_id], [0], [True])
        self.pieces, self.rows, self.starts = (
            np.concatenate([*(part[i] for part in parts), none[i]]) for i in range(3)
        )
        self.pieces, self.rows = self.pieces.astype(np.int32), self.rows.astype(np.int32)
        full = lengths > 0
        per_document = [
            int(kept.sum()) for kept in np.split(full, np.cumsum(sizes)[:-1]) if kept.any()
        ]
        self.sentences = np.concatenate([[0], np.cumsum(lengths[full])]).tolist()
        self.documents = np.concatenate([[0], np.cumsum(per_document)]).tolist()


def _cut(texts, tokenizer, words):
    if words is None:
        ids = tokenizer.tokenize(texts)
        rows = np.zeros(ids.values.shape[0], np.int32)
    else:
        ids, rows = words(texts)
        rows = rows.numpy()
    first = tokenizer.starts_word(ids.values)
    return ids.values.numpy(), rows, first.numpy(), ids.row_lengths().numpy()


def window_spans(corpus, budget, rng=None):
    """Cut documents into spans of `budget` pieces: [E, 5] with empty second spans.

    With `rng` the first cut of each document is drawn.
    """
    spans = []
    bounds = [corpus.sentences[index] for index in corpus.documents]
    for begin, end in itertools.pairwise(bounds):
        if rng is not None and end - begin > budget:
            first = begin + int(rng.integers(1, budget + 1))
            spans.append((begin, first, 0, 0, 0))
            begin = first
        spans += [(at, min(at + budget, end), 0, 0, 0) for at in range(begin, end, budget)]
    return np.array(spans, dtype=np.int64)


def pair_spans(corpus, budget, rng, short_rate):
    """Draw pairs of spans [E, 5]: begin and end of each, and 1 where the second follows.

    As in BERT: sentences are gathered until they fill an example; the second
    half is what follows or, half of the time, a run of another document, and
    then the sentences not used come again. A share of `short_rate` of the
    examples aims at less than the full length.
    """
    sentences, documents = corpus.sentences, corpus.documents
    spans = []
    for document in range(len(documents) - 1):
        at, end = documents[document], documents[document + 1]
        while at < end:
            target = budget
            if rng.random() < short_rate:
                target = int(rng.integers(2, budget + 1))
            until = _reach(sentences, at, end, target)
            middle = at + 1 if until - at == 1 else int(rng.integers(at + 1, until))
            first = (sentences[at], sentences[middle])
            if until - at == 1 or rng.random() < 0.5:
                second = _run_of_another(corpus, document, target - (first[1] - first[0]), rng)
                spans.append((*_fit(first, second, budget, rng), 0))
                at = middle
            else:
                second = (sentences[middle], sentences[until])
                spans.append((*_fit(first, second, budget, rng), 1))
                at = until
    return np.array(spans, dtype=np.int64)


def _reach(sentences, begin, end, target):
    """The sentence at which `target` pieces are reached, at least one on."""
    return min(end, max(begin + 1, bisect.bisect_left(sentences, sentences[begin] + target)))


def _run_of_another(corpus, document, target, rng):
    other = int(rng.integers(len(corpus.documents) - 2))
    other += other >= document
    begin, end = corpus.documents[other], corpus.documents[other + 1]
    begin = int(rng.integers(begin, end))
    until = _reach(corpus.sentences, begin, end, max(1, target))
    return corpus.sentences[begin], corpus.sentences[until]


def _fit(first, second, budget, rng):
    """Cut the longer span at its front or its back, each half of the time."""
    lengths = [first[1] - first[0], second[1] - second[0]]
    short = min(*lengths, budget // 2)
    long = min(max(lengths), budget - short)
    limits = (long, short) if lengths[0] > lengths[1] else (short, long)
    fitted = []
    for (begin, end), limit in zip((first, second), limits, strict=True):
        if end - begin > limit:
            begin, end = (end - limit, end) if rng.random() < 0.5 else (begin, begin + limit)
        fitted += [begin, end]
    return fitted
