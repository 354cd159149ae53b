"""The pretrained model and the corpora of `vocabulary_transfer.py`."""

import dataclasses
import functools
import itertools
import re
from collections import Counter

import keras

from tf_bertembed import models, quickstart, tasks, text, training, vectors
from tf_bertembed.text.counting import corpus_statistics

COUNTED = ", counted"  # ends a method where biases of new pieces follow from their counts
PIECES, LENGTH, BATCH, DEV_BATCHES = 8000, 32, 16, 24
TITLE = re.compile(r"^ = [^=].* = $", re.MULTILINE)
SENTENCE_END = re.compile(r"(?<= [.?!]) ")
WORD = re.compile(r"\w+|[^\w\s]")


def wikitext(folder):
    """The articles of WikiText-2, each a list of sentences."""
    content = "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.txt")))
    for mark in "-,.":
        content = content.replace(f" @{mark}@ ", mark)
    articles = []
    for article in TITLE.split(content):
        lines = [line.strip() for line in article.split("\n")]
        lines = [line for line in lines if line and not line.startswith("=")]
        articles.append([s for line in lines for s in SENTENCE_END.split(line)])
    return [article for article in articles if article]


def lines(path):
    """The lines of a file, gzipped or not."""
    return [sentence for document in text.read_documents(path) for sentence in document]


def grouped(sentences, size=2):
    """Sentences as documents that fill an example or two."""
    return [sentences[i : i + size] for i in range(0, len(sentences), size)]


def examples(documents, tokenizer, seed=0, fresh=True):
    """Masked examples of single texts."""
    return text.PretrainingExamples(
        documents,
        tokenizer,
        sequence_length=LENGTH,
        batch_size=BATCH,
        seed=seed,
        next_sentence=False,
        fresh_masks=fresh,
    )


def dev_set(documents, tokenizer):
    """The same batches at every measure, from all over the documents."""
    dev = examples(documents, tokenizer, fresh=False)
    every = max(1, dev.steps_per_epoch // DEV_BATCHES)
    return dev.epoch(0).shard(every, 0).take(DEV_BATCHES).cache()


def train(pretrainer, made, dev, steps, learning_rate, measures=4):
    """Train; yield steps done and nats a masked piece, the start among them."""
    pretrainer.compile(training.create_optimizer(learning_rate, steps))
    places = [round(part * steps / measures) for part in range(measures + 1)]

    def loss():
        return pretrainer.evaluate(dev, verbose=0, return_dict=True)["crossentropy"]

    yield 0, loss()
    for start, end in itertools.pairwise(places):
        pretrainer.fit(made.dataset(start), steps_per_epoch=end - start, verbose=0)
        yield end, loss()


def first_layers(name, count):
    """A backbone of the first layers of a checkpoint, and its vocabulary."""
    whole = models.load(name)
    config = {key: value for key, value in whole.get_config().items() if key != "name"}
    cut = models.BertEmbedBackbone.from_config({**config, "num_layers": count, "dropout": 0.0})
    for layer in cut.layers:
        if layer.weights:
            layer.set_weights(whole.get_layer(layer.name).get_weights())
    return cut, models.load_tokenizer(models.find_checkpoint(name)).get_vocabulary()


def pretrained(arguments):
    """The model to move: taught once, then read from `--work`."""
    place = arguments.work / f"base-{arguments.num_layers}-{arguments.base_steps}"
    if place.exists():
        return tasks.Pretrainer.from_preset(str(place))
    articles = quickstart.wikipedia_documents()
    learned = [a for i, a in enumerate(articles) if i % 10]
    learned += wikitext(arguments.data / "wikitext2")
    tokenizer = text.BertEmbedTokenizer(
        text.train_vocabulary([s for article in learned for s in article], PIECES)
    )
    keras.utils.set_random_seed(0)
    backbone, theirs = first_layers("all-minilm-l6-v2", arguments.num_layers)
    mixture = vectors.mix_pieces(theirs, tokenizer.get_vocabulary(), "mean")
    print("pieces of Wikipedia:", mixture.counts, flush=True)
    pretrainer = tasks.Pretrainer(
        models.transfer_vocabulary(backbone, mixture),
        text.Preprocessor(tokenizer, LENGTH),
        next_sentence=False,
    )
    made = examples(learned, tokenizer)
    pretrainer.start_from_frequencies(made.piece_counts())
    dev = dev_set(articles[::10], tokenizer)
    for step, loss in train(pretrainer, made, dev, arguments.base_steps, 5e-4, measures=5):
        print(f"teaching, step {step}: {loss:.3f}", flush=True)
    pretrainer.save_to_preset(str(place))
    return pretrainer


def word_vectors(sentences):
    """fastText vectors of words, lower-cased."""
    words = [WORD.findall(sentence.lower()) for sentence in sentences]
    return vectors.train_fasttext(words, skip_gram=True, min_count=3, buckets=200_000)


def dictionary_of(english, german, least=8):
    """Words that occur in the same pairs of sentences more than in others, both ways (Dice)."""
    ours, theirs, both = Counter(), Counter(), Counter()
    for one, other in zip(english, german, strict=True):
        one, other = set(WORD.findall(one.lower())), set(WORD.findall(other.lower()))
        ours.update(one)
        theirs.update(other)
        both.update(itertools.product(one, other))
    best = {}
    for (one, other), count in both.items():
        if count >= least:
            score = 2 * count / (ours[one] + theirs[other])
            for key in ((0, one), (1, other)):
                best[key] = max(best.get(key, (0, "")), (score, other if key[0] == 0 else one))
    return [
        (one, other)
        for (side, one), (_, other) in best.items()
        if side == 0 and best[1, other][1] == one
    ]


@dataclasses.dataclass(frozen=True)
class Run:
    """A model moved to the vocabulary of a corpus, and trained there."""

    corpus: str
    method: str
    seed: int
    steps: int
    learning_rate: float
    num_layers: int
    base_steps: int


class Domain:
    """A corpus, its vocabulary, and what `mix_pieces` gets for each method."""

    def __init__(self, learned, held_out, old):
        self.learned, self.old = learned, old
        self.tokenizer = text.BertEmbedTokenizer(text.train_vocabulary(learned, PIECES))
        self.words = text.count_words(held_out, self.tokenizer)
        self.dev = dev_set(grouped(held_out), self.tokenizer)

    @functools.cached_property
    def counts(self):
        """How often each piece occurs in the texts to learn from."""
        return text.count_pieces(text.count_words(self.learned, self.tokenizer), self.tokenizer)

    def spaces(self, method):
        """The arguments of a method that both kinds of corpora have."""
        if method == "focus, learned":
            return {"piece_vectors": text.train_piece_vectors(self.learned, self.tokenizer)}
        return {"method": method}

    def mixture(self, method):
        """The old pieces that each new one is made of."""
        pieces = self.tokenizer.get_vocabulary()
        return vectors.mix_pieces(self.old.get_vocabulary(), pieces, **self.spaces(method))

    def told(self, mixture):
        """What a table says besides losses."""
        ways = mixture.to_dict(text.count_pieces(self.words, self.tokenizer))
        return {
            "ways": {w: [r["count"], round(r["occurrence_share"], 4)] for w, r in ways.items()},
            "before": corpus_statistics(self.words, self.old),
            "after": corpus_statistics(self.words, self.tokenizer),
        }


class Reviews(Domain):
    """English sentences on films."""

    METHODS = (
        *("focus, GloVe", "focus, GloVe, counted", "focus, learned"),
        *("mean", "mean, counted", "random"),
    )

    def __init__(self, data, old):
        files = {name: data / "sst2" / f"{name}.tsv" for name in ("train", "dev")}
        learned, held_out = (text.read_labelled(path)[0] for path in files.values())
        super().__init__(learned, held_out, old)

    def spaces(self, method):
        if method == "focus, GloVe":
            return {"vectors": vectors.load("glove-6b-50d")}
        return super().spaces(method)


class Captions(Domain):
    """German captions, with their English originals for vectors and a dictionary."""

    METHODS = (
        *("wechsel", "wechsel, counted", "wechsel, copying", "focus, learned"),
        *("mean", "mean, counted", "random"),
    )

    def __init__(self, data, old):
        folder = data / "multi30k"
        german, held_out, self.english = (
            lines(folder / name) for name in ("train.de.gz", "dev.de.gz", "train.en.gz")
        )
        super().__init__(german, held_out, old)

    @functools.cached_property
    def languages(self):
        """Word vectors of both languages, and pairs of words."""
        pairs = dictionary_of(self.english, self.learned)
        print(f"dictionary: {len(pairs)} pairs, the first {pairs[:4]}", flush=True)
        return {
            "method": "wechsel",
            "vectors": word_vectors(self.learned),
            "source_vectors": word_vectors(self.english),
            "dictionary": pairs,
        }

    def spaces(self, method):
        if method.startswith("wechsel"):
            return self.languages | ({"copying": "agreeing"} if "copying" in method else {})
        return super().spaces(method)


CORPORA = {"film reviews": Reviews, "German captions": Captions}


class Moves:
    """Moves the pretrained model and trains it on."""

    def __init__(self, arguments):
        self.arguments = arguments
        self._domains = {}

    @functools.cached_property
    def base(self):
        """The model to move."""
        return pretrained(self.arguments)

    def domain(self, corpus):
        """A corpus and its vocabulary."""
        if corpus not in self._domains:
            old = self.base.preprocessor.tokenizer
            self._domains[corpus] = CORPORA[corpus](self.arguments.data, old)
        return self._domains[corpus]

    def __call__(self, run):
        domain = self.domain(run.corpus)
        method = run.method.removesuffix(COUNTED)
        counts = None if method == run.method else domain.counts
        mixture = domain.mixture(method)
        keras.utils.set_random_seed(run.seed)
        pretrainer = tasks.transfer_task(
            self.base, mixture, domain.tokenizer, seed=run.seed, counts=counts
        )
        made = examples(grouped(domain.learned), domain.tokenizer, seed=run.seed)
        losses = dict(train(pretrainer, made, domain.dev, run.steps, run.learning_rate))
        return {"losses": losses, **domain.told(mixture)}
