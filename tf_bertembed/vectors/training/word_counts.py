"""How often each word of a corpus occurs."""

import dataclasses
from collections import Counter

from tf_bertembed import common

MANY = 1 << 16


@dataclasses.dataclass(frozen=True)
class WordCounts:
    """The words of a corpus that occur often enough, most frequent first.

    Args:
        words: list of W strings; those of one count in the order of their
            characters.
        counts: list of W ints. How often each occurs.
        tokens: int. All words of the corpus, the rare ones too.
        lines: int. How many lists of words the corpus holds.
    """

    words: list
    counts: list
    tokens: int
    lines: int


def count_corpus(corpus, min_count):
    """Count the words of a corpus.

    Args:
        corpus: iterable of lists of words.
        min_count: int. How often a word must occur to be kept.

    Returns:
        A `WordCounts`.

    Raises:
        BertEmbedError: where the corpus has no word, or none often enough.
    """
    counts = Counter()
    lines = 0
    held = []
    with common.progress("Counting words") as advance:
        for words in corpus:
            lines += 1
            held += words
            if len(held) >= MANY:
                counts.update(held)
                held = []
                advance()
        counts.update(held)
    if not counts:
        raise common.BertEmbedError("The corpus has no word.")
    kept = sorted(
        (pair for pair in counts.items() if pair[1] >= min_count), key=lambda p: (-p[1], p[0])
    )
    if not kept:
        word, most = max(counts.items(), key=lambda pair: pair[1])
        raise common.BertEmbedError(
            f"No word occurs `min_count` times. Received: min_count={min_count}; of "
            f"{len(counts)} words the most frequent, {word!r}, occurs {most} times."
        )
    words, numbers = map(list, zip(*kept, strict=True))
    return WordCounts(words, numbers, counts.total(), lines)
