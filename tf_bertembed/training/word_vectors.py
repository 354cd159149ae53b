"""From text files to a file of word vectors, by any of the four algorithms."""

import inspect
import tempfile
import time
from pathlib import Path

from gensim.models import KeyedVectors

from tf_bertembed import common, vectors
from tf_bertembed.vectors.files.saving import check_place

ALGORITHMS = ("word2vec", "fasttext", "glove", "one-hot-svd")
OF_FILES = ("segmenter", "lowercase")


def train_vectors(
    corpora,
    output,
    algorithm,
    *,
    format=None,
    overwrite=False,
    seed=0,
    **options,
):
    """Train word vectors on text files and save them.

    Args:
        corpora: path, or list of paths. UTF-8 text, gzipped or not; a line is
            a text.
        output: string or `pathlib.Path`. The file or folder to make.
        algorithm: string. `"word2vec"` or `"fasttext"` (by gensim),
            `"glove"` (by TensorFlow) or `"one-hot-svd"`.
        format: string. As for `vectors.save`; `None` for what the ending of
            `output` says.
        overwrite: bool. Whether to replace what stands at `output`.
        seed: int. Seed of all that is random. With one worker, the default,
            it decides the vectors.
        **options: `segmenter` and `lowercase`, as for `vectors.WordCorpus`;
            all others as for `vectors.train_word2vec`,
            `vectors.train_fasttext`, or `vectors.count_cooccurrences` and
            after it `training.train_glove` or `vectors.train_one_hot_svd`.

    Returns:
        A dict: `algorithm`, `output`, `format` (strings), `words`,
        `vector_size`, `tokens` (ints; tokens are all words of the files),
        `seconds` (float, of the training) and, for word2vec and fastText,
        `epochs` (int) and `tokens_per_second` (float); for the others
        `cooccurrences` and `spills` (ints) and `counting_seconds` (float);
        for GloVe also `epochs`, `loss` (list of floats, one an epoch) and
        `updates_per_second` (float; an update is one co-occurrence once).

    Raises:
        MissingFileError, FileFormatError: where a file cannot be read.
        OutputExistsError: where something stands at `output` and `overwrite`
            is False.
        BertEmbedError: where an option is out of range or none of the
            algorithm's, or the training cannot give vectors.

    Example:

    ```python
    from gensim.test.utils import datapath
    from tf_bertembed import training, vectors

    report = training.train_vectors(
        datapath("lee_background.cor"), "lee.vec", "word2vec", vector_size=20, epochs=1
    )
    assert report["format"] == "fasttext" and report["tokens"] > 50000
    assert len(vectors.load("lee.vec")) == report["words"]
    ```
    """
    output = Path(output)
    options = _sorted_out(algorithm, options)
    check_place(output, format, overwrite)
    _try_format(output, format)
    corpus = _Counted(vectors.WordCorpus(corpora, **options["files"]))
    found, report = (_by_gensim if "train" in options else _from_cooccurrences)(
        algorithm, corpus, options, seed
    )
    return {
        "algorithm": algorithm,
        "output": str(output),
        "format": vectors.save(found, output, format, overwrite),
        "words": len(found),
        "vector_size": int(found.vector_size),
        "tokens": corpus.tokens,
        **report,
    }


class _Counted:
    """A corpus that knows how many words it had when it was last read."""

    def __init__(self, corpus):
        self.corpus = corpus

    def __iter__(self):
        tokens = 0
        for words in self.corpus:
            tokens += len(words)
            yield words
        self.tokens = tokens


def _steps(algorithm):
    """The functions that an algorithm is made of, by what they are called here."""
    if algorithm == "word2vec":
        return {"train": vectors.train_word2vec}
    if algorithm == "fasttext":
        return {"train": vectors.train_fasttext}
    if algorithm == "glove":
        # Only here TensorFlow is loaded.
        from tf_bertembed.training.glove import train_glove

        return {"count": vectors.count_cooccurrences, "learn": train_glove}
    if algorithm == "one-hot-svd":
        return {"count": vectors.count_cooccurrences, "learn": vectors.train_one_hot_svd}
    raise common.BertEmbedError(
        f"`algorithm` must be one of {', '.join(map(repr, ALGORITHMS))}. Received: {algorithm!r}."
    )


def _sorted_out(algorithm, options):
    """Which options go to which step; those that go nowhere are an error."""
    steps = _steps(algorithm)
    names = {"files": OF_FILES} | {
        step: [
            name
            for name, argument in inspect.signature(function).parameters.items()
            if argument.kind is argument.KEYWORD_ONLY and name not in ("seed", "callbacks")
        ]
        for step, function in steps.items()
    }
    known = [name for of_step in names.values() for name in of_step]
    strange = [name for name in options if name not in known]
    if strange:
        flag = f"--{strange[0].replace('_', '-')}"
        raise common.BertEmbedError(
            f"`{strange[0]}` ({flag}) is no option of {algorithm}. It has: {', '.join(known)}. "
            f"Received: {strange[0]}={options[strange[0]]!r}."
        )
    return {
        step: {name: options[name] for name in of_step if name in options}
        for step, of_step in names.items()
    }


def _try_format(output, form):
    # What cannot be written shall be told before the training and not after it.
    with tempfile.TemporaryDirectory() as folder:
        one = KeyedVectors(1)
        one.add_vectors(["word"], [[1.0]])
        vectors.save(one, Path(folder) / output.name, form)


def _by_gensim(algorithm, corpus, options, seed):
    train = _steps(algorithm)["train"]
    begin = time.perf_counter()
    found = train(corpus, seed=seed, **options["train"])
    seconds = time.perf_counter() - begin
    epochs = options["train"].get("epochs", inspect.signature(train).parameters["epochs"].default)
    return found, {
        "epochs": epochs,
        "seconds": seconds,
        "tokens_per_second": corpus.tokens * epochs / seconds,
    }


def _from_cooccurrences(algorithm, corpus, options, seed):
    steps = _steps(algorithm)
    begin = time.perf_counter()
    met = steps["count"](corpus, **options["count"])
    counted = time.perf_counter()
    losses = []
    watch = {"callbacks": [_recorder(losses)]} if algorithm == "glove" else {}
    found = steps["learn"](met, seed=seed, **options["learn"], **watch)
    seconds = time.perf_counter() - counted
    report = {
        "cooccurrences": int(met.matrix.nnz),
        "spills": met.spills,
        "counting_seconds": counted - begin,
        "seconds": seconds,
    }
    if losses:
        report |= {
            "epochs": len(losses),
            "loss": losses,
            "updates_per_second": met.matrix.nnz * len(losses) / seconds,
        }
    return found, report


def _recorder(losses):
    import keras

    return keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: losses.append(float(logs["loss"]))
    )
