"""One pretraining of `warm_start.py`: what it is given and what it answers."""

import dataclasses
import gc

import corpora
import keras
import tensorflow as tf

from tf_bertembed import models, quickstart, tasks, text, training, vectors

HEADS = 4
DEV_BATCHES = 8
CHINESE_VECTORS = "vectors/tencent-char-zh-200d.txt.gz"


@dataclasses.dataclass(frozen=True)
class Run:
    """What tells one pretraining from another."""

    corpus: str
    norm: str  # "post" or "pre"
    head: str  # "tied" or "untied"
    start: str  # "cold", "own" or a scale
    alignment: str  # a way of `vectors.align`, "centred" after one; "" where cold
    tables: str  # "input", or "both" where the untied head starts from vectors too
    learning_rate: float
    warmup: float
    seed: int
    steps: int

    @property
    def cell(self):
        """The runs that are compared with one another."""
        return self.corpus, self.norm, self.head

    @property
    def name(self):
        """How the run starts."""
        if self.start == "cold":
            return "cold"
        tables = ", both tables" if self.tables == "both" else ""
        return f"{self.start}, {self.alignment}{tables}"


class Setting:
    """Corpus, vocabulary and vectors of all runs on one corpus."""

    def __init__(self, corpus, arguments):
        self.arguments = arguments
        self.matrices = {}
        if corpus == "chinese-news":
            documents = corpora.chinese_news(arguments.data)
        elif corpus == "wikitext2":
            documents = corpora.wikitext2(arguments.data)
        else:
            documents = quickstart.wikipedia_documents()
        source = arguments.data / CHINESE_VECTORS if corpus == "chinese-news" else "glove-6b-50d"
        self.vectors = vectors.load(source)
        train = [document for place, document in enumerate(documents) if place % 10]
        sentences = [sentence for document in train for sentence in document]
        self.vocabulary = text.train_vocabulary(sentences, arguments.vocabulary_size)
        self.train = self._examples(train, True)
        self.counts = self.train.piece_counts()
        dev = self._examples(documents[::10], False)
        every = max(1, dev.steps_per_epoch // DEV_BATCHES)
        self.dev = dev.epoch(0).shard(every, 0).take(DEV_BATCHES).cache()

    def _examples(self, documents, fresh):
        # The same batches whatever a run's own seed, which draws its weights.
        return text.PretrainingExamples(
            documents,
            text.BertEmbedTokenizer(self.vocabulary),
            sequence_length=self.arguments.sequence_length,
            batch_size=self.arguments.batch_size if fresh else 32,
            next_sentence=False,
            fresh_masks=fresh,
        )

    def matrix(self, alignment):
        """The vectors aligned to the pieces, once for all runs."""
        if alignment not in self.matrices:
            compose, _, centred = alignment.partition(", ")
            matrix = vectors.align(self.vectors, self.vocabulary, compose=compose).matrix
            if centred:
                matrix = vectors.postprocess(matrix, remove_mean=True, remove_components=1)
            self.matrices[alignment] = matrix
        return self.matrices[alignment]


def _pretrainer(setting, run):
    arguments = setting.arguments
    keras.utils.set_random_seed(run.seed)
    backbone = models.BertEmbedBackbone(
        vocabulary_size=len(setting.vocabulary),
        num_layers=arguments.num_layers,
        num_heads=HEADS,
        hidden_dim=arguments.hidden_dim,
        intermediate_dim=4 * arguments.hidden_dim,
        max_sequence_length=arguments.sequence_length,
        norm_first=run.norm == "pre",
    )
    pretrainer = tasks.Pretrainer(backbone, next_sentence=False, tie_weights=run.head == "tied")
    if run.start != "cold":
        scale = run.start if run.start == "own" else float(run.start)
        models.warm_start(backbone, setting.matrix(run.alignment), scale=scale)
        if run.tables == "both":
            pretrainer.start_from_token_table()
    pretrainer.start_from_frequencies(setting.counts)
    return pretrainer


def _dropout_seeds(pretrainer):
    return [v for v in pretrainer.variables if v.path.endswith("seed_generator_state")]


class Trainer:
    """Pretrains; the graph of a training step, half of a run's time, is made once for many runs.

    Args:
        setting: a `Setting`.
    """

    def __init__(self, setting):
        self.setting = setting
        self.traced = {}

    def _compiled(self, run):
        """A compiled pretrainer of the run's shape, and the variable of its learning rate."""
        key = (*run.cell, run.warmup, run.steps)
        if key not in self.traced:
            if any(other[:3] != run.cell for other in self.traced):
                self.traced.clear()
                keras.backend.clear_session()
                gc.collect()
            rate = tf.Variable(run.learning_rate)
            pretrainer = _pretrainer(self.setting, run)
            pretrainer.compile(training.create_optimizer(rate, run.steps, run.warmup))
            self.traced[key] = pretrainer, rate
        return self.traced[key]

    def __call__(self, run):
        """Pretrain once.

        Returns:
            A list of pairs: steps, and the dev loss of masked pieces in nats.
        """
        pretrainer, rate = self._compiled(run)
        rate.assign(run.learning_rate)
        fresh = _pretrainer(self.setting, run)
        pretrainer.set_weights(fresh.get_weights())
        for old, new in zip(_dropout_seeds(pretrainer), _dropout_seeds(fresh), strict=True):
            old.assign(new)
        for variable in pretrainer.optimizer.variables:
            variable.assign(tf.zeros_like(variable))
        evaluations = self.setting.arguments.evaluations
        every = run.steps // evaluations
        history = pretrainer.fit(
            self.setting.train.dataset(),
            epochs=evaluations,
            steps_per_epoch=every,
            validation_data=self.setting.dev,
            verbose=0,
        ).history
        return [
            [every * (place + 1), round(loss, 4)] for place, loss in enumerate(history["val_loss"])
        ]
