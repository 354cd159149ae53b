"""Our side: the tasks of this package by plain `fit`."""

import contextlib
import time

import keras
import numpy as np

from side_by_side.data import question
from side_by_side.worker import serve
from tf_bertembed import models, tasks, text, training, vectors

MOST_WORDS = 100_000
# Windows of 256 pieces with a question of a dozen share 64, as on the other side.
STRIDE = 177


def _train(task, x, y, request, rows=None):
    """Fit; answer wall and CPU seconds, the tracing of the step among them."""
    setting = request["setting"]
    start, cpu = time.perf_counter(), time.process_time()
    rows = rows or len(request["train"])
    steps = setting["epochs"] * -(-rows // setting["batch_size"])
    optimizer = training.create_optimizer(
        setting["learning_rate"],
        steps,
        head_factor=request["form"].get("head_factor", 1.0),
        task=task,
    )
    task.compile(optimizer, metrics=None)
    task.fit(x, y, batch_size=setting["batch_size"], epochs=setting["epochs"], verbose=0)
    return time.perf_counter() - start, time.process_time() - cpu


def _parts(request):
    """The backbone, its tokenizer, and the words that have a vector."""
    backbone = models.load(request["weights"])
    tokenizer = models.load_tokenizer(request["weights"])
    fusion = {name: value for name, value in request["form"].items() if name != "head_factor"}
    if not fusion:
        return backbone, tokenizer, None
    loaded = vectors.load(request["vectors"], limit=MOST_WORDS)
    words, matrix = vectors.static_table(loaded)
    return models.with_fusion(backbone, matrix, **fusion), tokenizer, words


def classification(request, backbone, tokenizer, words):
    setting = request["setting"]
    preprocessor = text.Preprocessor(tokenizer, setting["sequence_length"], static_words=words)
    task = tasks.TextClassifier(backbone, request["labels"], preprocessor)
    texts, labels = map(list, zip(*request["train"], strict=True))
    spent = _train(task, texts, labels, request)
    logits = task.predict([row[0] for row in request["test"]], batch_size=64, verbose=0)
    return [task.labels[index] for index in np.argmax(logits, -1)], spent


def tagging(request, backbone, tokenizer, words):
    setting = request["setting"]
    preprocessor = text.TaggingPreprocessor(
        tokenizer, setting["sequence_length"], static_words=words
    )
    task = tasks.TokenClassifier(backbone, request["labels"], preprocessor)
    sentences, tags = map(list, zip(*request["train"], strict=True))
    spent = _train(task, sentences, tags, request)
    answers = task.answer([row[0] for row in request["test"]], batch_size=64)
    return [answer["tags"] for answer in answers], spent


def similarity(request, backbone, tokenizer, words):
    setting = request["setting"]
    preprocessor = text.Preprocessor(tokenizer, setting["sequence_length"], static_words=words)
    task = tasks.SentenceEncoder(backbone, preprocessor, pooling="mean", objective="cosine")
    first, second, scores = map(list, zip(*request["train"], strict=True))
    spent = _train(task, (first, second), scores, request)
    first, second, _ = map(list, zip(*request["test"], strict=True))
    answers = task.answer((first, second), batch_size=64)
    return [answer["score"] for answer in answers], spent


def qa(request, backbone, tokenizer, words):
    setting = request["setting"]
    preprocessor = text.QuestionPreprocessor(
        tokenizer, setting["sequence_length"], stride=STRIDE, static_words=words
    )
    task = tasks.QuestionAnswerer(backbone, preprocessor)
    train, test = ([question(row) for row in request[part]] for part in ("train", "test"))
    spent = _train(task, train, None, request, rows=len(task.windows(train)))
    return [answer["answer"] for answer in task.answer(test, batch_size=16)], spent


KINDS = {
    "classification": classification,
    "tagging": tagging,
    "similarity": similarity,
    "qa": qa,
}


def run(request):
    """Train and predict one cell."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(request["seed"])
    with contextlib.redirect_stdout(None):
        parts = _parts(request)
    return KINDS[request["setting"]["kind"]](request, *parts)


if __name__ == "__main__":
    serve(run)
