"""The folder that keeps a trained model with the record of its training."""

import json
import math
import shutil

from tf_bertembed.common import BertEmbedError, atomic_path
from tf_bertembed.text import save_vocabulary
from tf_bertembed.training.history import plot_history, save_history

TRAINING = "training.json"


def _number(name, value):
    if isinstance(value, dict):
        return {key: _number(key, inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_number(name, inner) for inner in value]
    if isinstance(value, (str, int)) or value is None:
        return value
    number = float(value)
    if not math.isfinite(number):
        raise BertEmbedError(f"The metric `{name}` is no finite number. Received: {value}.")
    return number


def _write_json(content, path):
    written = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, default=str)
    path.write_text(f"{written}\n", encoding="utf-8")


def save_run(folder, task, history, metrics, overwrite=False, settings=None, files=()):
    """Write a RUN folder: the model, its vocabulary, and how it was trained.

    The folder is a keras-nlp preset (`config.json`, `task.json`, weights,
    tokenizer, words), which `from_preset` reads, with `vocab.txt`,
    `metrics.json`, `history.csv` and `history.png`. It appears at its place
    when it is complete.

    Args:
        folder: string or `pathlib.Path`. The folder to make.
        task: a task with a preprocessor.
        history: dict of lists, one number an epoch.
        metrics: dict. The final metrics by name: numbers, or dicts and lists
            that hold them.
        overwrite: bool. Whether to replace a folder that is there.
        settings: dict that JSON can hold. What the model was trained with,
            for `training.json`; `None` for no such file. Its `best_epoch` is
            marked in the picture.
        files: list of `pathlib.Path`s. More files to copy into the folder.

    Returns:
        The folder as `pathlib.Path`.

    Raises:
        OutputExistsError: where the folder is there and `overwrite` is False.
        BertEmbedError: where the task has no preprocessor, there is no
            history, or a metric is not finite.

    Example:

    ```python
    from tf_bertembed import models, tasks, text, training

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "good", "bad"])
    task = tasks.TextClassifier(
        models.BertEmbedBackbone(7, 1, 2, 8, 16, max_sequence_length=16),
        ["no", "yes"],
        text.Preprocessor(tokenizer, sequence_length=16),
    )
    history = {"loss": [0.7, 0.5]}  # what `task.fit(…).history` tells
    folder = training.save_run("run", task, history, {"accuracy": 0.5})
    assert tasks.TextClassifier.from_preset(folder).labels == ["no", "yes"]
    ```
    """
    if task.preprocessor is None:
        raise BertEmbedError("A run keeps its tokenizer: give the task a `preprocessor`.")
    metrics = _number("metrics", metrics)
    with atomic_path(folder, overwrite=overwrite) as place:
        place.mkdir()
        task.save_to_preset(str(place))
        save_vocabulary(task.preprocessor.tokenizer.get_vocabulary(), place / "vocab.txt")
        _write_json(metrics, place / "metrics.json")
        if settings is not None:
            _write_json(settings, place / TRAINING)
        for path in files:
            shutil.copy(path, place / path.name)
        save_history(history, place / "history.csv")
        plot_history(history, place / "history.png", (settings or {}).get("best_epoch"))
    return type(place)(folder)
