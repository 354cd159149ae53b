"""The settings of `alignment.py`: vectors from which words and pieces were hidden."""

import dataclasses
import functools
import re

import numpy as np
from gensim.models import FastText, KeyedVectors

from tf_bertembed import common, models, quickstart, text, vectors
from tf_bertembed.vectors.evaluation import evaluation_sets
from tf_bertembed.vectors.wordpiece import Cutter

SETTINGS = ("glove-minilm", "glove-wikipedia", "fasttext-wikipedia", "tencent-chinese")
CANDIDATES = 30_000


@dataclasses.dataclass
class Trial:
    """Vectors from which words were hidden, and what was hidden."""

    vectors: KeyedVectors
    vocabulary: list
    truth: KeyedVectors
    held_out: list
    hidden: list
    texts: list
    wordsim: bool = True


@functools.cache
def articles():
    """The sentences of gensim's Wikipedia articles."""
    return [sentence for document in quickstart.wikipedia_documents() for sentence in document]


@functools.cache
def wordsim_words():
    """The words of WordSim-353 in lower case."""
    path = evaluation_sets.find("wordsim-353", evaluation_sets.PAIRS, "word pairs")
    pairs = evaluation_sets.read_pairs(path)
    return frozenset(word.lower() for *pair, _ in pairs for word in pair)


def draw(words, vocabulary, arguments, seed):
    """Words to hold out and pieces to hide, of a few letters and of middling frequency."""
    generator = np.random.default_rng(common.derive_seed(seed, "benchmark", "alignment"))
    pieces, cutter = frozenset(vocabulary), Cutter(vocabulary)

    def some(candidates):
        count = min(arguments.hide, len(candidates) // 2)
        return sorted(generator.choice(candidates, count, replace=False).tolist())

    usual = [word for word in words if len(word) > 2 and word.isalpha()]
    whole = [w for w in usual[100:CANDIDATES] if w in pieces and w not in wordsim_words()]
    cut = [w for w in usual[1000 : 2 * CANDIDATES] if w not in pieces and w not in wordsim_words()]
    return some([word for word in cut if len(cutter.cut_word(word)) > 1]), some(whole)


def glove(vocabulary, arguments, seed):
    """A trial with GloVe."""
    truth = vectors.load("glove-6b-50d", limit=arguments.words)
    vocabulary = [piece for piece in vocabulary if piece not in wordsim_words()]
    held_out, hidden = draw(truth.index_to_key, vocabulary, arguments, seed)
    gone = {*held_out, *hidden, *wordsim_words()}
    kept = [word for word in truth.index_to_key if word not in gone]
    found = KeyedVectors(truth.vector_size)
    found.add_vectors(kept, truth[kept])
    return Trial(found, vocabulary, truth, held_out, hidden, articles())


def fasttext(arguments, seed):
    """A trial with fastText vectors that never saw the words held out."""
    lines = [re.findall(r"\w+|[^\w\s]", line.lower()) for line in articles()]

    def train(corpus):
        return FastText(
            sorted(corpus),
            vector_size=50,
            sg=1,
            min_count=3,
            bucket=100_000,
            epochs=arguments.epochs,
            workers=1,
            seed=seed,
        ).wv

    whole = train(lines)
    vocabulary = [p for p in text.train_vocabulary(articles(), 8000) if p not in wordsim_words()]
    held_out, hidden = draw(whole.index_to_key, vocabulary, arguments, seed)
    gone = {*held_out, *hidden, *wordsim_words()}
    found = train([[word for word in line if word not in gone] for line in lines])
    shared = [word for word in found.index_to_key[:2000] if word in whole.key_to_index]
    turn = vectors.fit_map(whole[shared], found[shared], orthogonal=True)
    truth = KeyedVectors(found.vector_size)
    truth.add_vectors(whole.index_to_key, whole.vectors @ turn)
    return Trial(found, vocabulary, truth, held_out, hidden, articles())


def tencent(arguments, seed):
    """A trial with vectors of Chinese characters, of which some are hidden."""
    truth = vectors.load(arguments.data / "vectors" / "tencent-char-zh-200d.txt.gz")
    vocabulary = text.load_vocabulary(arguments.data / "vocabularies" / "google_zh.txt")
    news = arguments.data / "clue-corpus-zh" / "documents.txt"
    generator = np.random.default_rng(common.derive_seed(seed, "benchmark", "alignment"))
    candidates = [word for word in truth.index_to_key if word in set(vocabulary)]
    hidden = generator.choice(candidates, min(arguments.hide, 500), replace=False).tolist()
    kept = [word for word in truth.index_to_key if word not in set(hidden)]
    found = KeyedVectors(truth.vector_size)
    found.add_vectors(kept, truth[kept])
    texts = [line for _, line in common.read_lines(news)]
    return Trial(found, vocabulary, truth, [], hidden, texts, wordsim=False)


def make_trial(setting, arguments, seed):
    """The trial of a setting."""
    if setting == "tencent-chinese":
        return tencent(arguments, seed)
    if setting == "fasttext-wikipedia":
        return fasttext(arguments, seed)
    if setting == "glove-minilm":
        folder = models.find_checkpoint("all-minilm-l6-v2")
        return glove(text.load_vocabulary(folder / "vocab.txt"), arguments, seed)
    return glove(text.train_vocabulary(articles(), 8000), arguments, seed)
