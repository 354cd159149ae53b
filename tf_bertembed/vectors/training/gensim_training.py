"""What training word2vec and training fastText by gensim have in common."""

from gensim.models.word2vec import MAX_WORDS_IN_BATCH

from tf_bertembed import common
from tf_bertembed.vectors.training.ranges import check_positive, check_whole
from tf_bertembed.vectors.training.word_corpus import as_corpus
from tf_bertembed.vectors.training.word_counts import count_corpus

LINES = 100
# gensim 4.4 ends the process (segmentation fault) where numbers become infinite.
HIGHEST_RATE = 1


class _Lines:
    """Lists of words short enough for gensim, which would cut off what is too long.

    gensim reads in a thread of its own and waits for ever where that breaks
    off, so errors are kept for the thread that waits.
    """

    def __init__(self, corpus, advance):
        self.corpus = corpus
        self.advance = advance
        self.error = None

    def __iter__(self):
        lines = iter(()) if self.error else iter(self.corpus)
        done = 0
        while True:
            try:
                words = next(lines, None)
            except Exception as error:
                self.error = error
                return
            if words is None:
                return
            for start in range(0, len(words), MAX_WORDS_IN_BATCH):
                yield words[start : start + MAX_WORDS_IN_BATCH]
            done += 1
            if not done % LINES:
                self.advance(LINES)


def train_by_gensim(make, corpus, min_count, epochs, **numbers):
    """Train a model of gensim on a corpus.

    Args:
        make: function. Makes the model, untrained, from keyword arguments
            that all its kinds share.
        corpus: what `as_corpus` takes.
        min_count: int. How often a word must occur to be kept.
        epochs: int. How often to go through the corpus.
        **numbers: `vector_size, window, negative, workers, seed` and
            `learning_rate`.

    Returns:
        The trained model's `KeyedVectors`, most frequent word first.

    Raises:
        BertEmbedError: where a number is out of range, or the corpus has no
            word that is frequent enough.
    """
    least = {"vector_size": 1, "window": 1, "negative": 1, "workers": 1, "seed": 0}
    check_whole(
        min_count=(min_count, 1),
        epochs=(epochs, 1),
        **{name: (numbers[name], smallest) for name, smallest in least.items()},
    )
    rate = numbers.pop("learning_rate")
    check_positive(learning_rate=rate)
    if rate > HIGHEST_RATE:
        raise common.BertEmbedError(
            f"`learning_rate` must be at most {HIGHEST_RATE}: above it vectors grow without end. "
            f"Received: {rate!r}."
        )
    corpus = as_corpus(corpus)
    counted = count_corpus(corpus, min_count)
    model = make(min_count=min_count, epochs=epochs, alpha=rate, **numbers)
    frequencies = dict(zip(counted.words, counted.counts, strict=True))
    model.build_vocab_from_freq(frequencies, corpus_count=counted.lines)
    with common.progress("Training", total=epochs * counted.lines) as advance:
        lines = _Lines(corpus, advance)
        model.train(lines, total_words=counted.tokens, epochs=epochs)
    if lines.error:
        raise lines.error
    return model.wv
