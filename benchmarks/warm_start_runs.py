"""One pretraining of `warm_start.py`: what it is given and what it answers."""

import dataclasses
import functools
import gc

import corpora
import keras

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

    @functools.lru_cache(maxsize=8)  # noqa: B019 (a setting lives as long as the script)
    def matrix(self, alignment):
        """The vectors aligned to the pieces."""
        compose, _, centred = alignment.partition(", ")
        matrix = vectors.align(self.vectors, self.vocabulary, compose=compose).matrix
        if centred:
            matrix = vectors.postprocess(matrix, remove_mean=True, remove_components=1)
        return matrix


def pretrain(setting, run):
    """Pretrain once.

    Returns:
        A list of pairs: steps, and the dev loss of masked pieces in nats.
    """
    arguments = setting.arguments
    keras.backend.clear_session()
    gc.collect()
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
            table = backbone.token_embedding.embeddings
            pretrainer.masked_lm_head.output_embeddings.assign(table)
    pretrainer.start_from_frequencies(setting.counts)
    pretrainer.compile(training.create_optimizer(run.learning_rate, run.steps, run.warmup))
    every = run.steps // arguments.evaluations
    history = pretrainer.fit(
        setting.train.dataset(),
        epochs=arguments.evaluations,
        steps_per_epoch=every,
        validation_data=setting.dev,
        verbose=0,
    ).history
    return [[every * (place + 1), round(loss, 4)] for place, loss in enumerate(history["val_loss"])]
