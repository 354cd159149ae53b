"""Write a task as a SavedModel: strings in, named outputs out, versioned."""

from pathlib import Path

from tensorflow.core.protobuf import saved_model_pb2

from tf_bertembed.common import (
    BertEmbedError,
    FileFormatError,
    OutputExistsError,
    atomic_path,
    check_at_least,
    numbered_folders,
)
from tf_bertembed.common.places import LARGEST_NUMBER
from tf_bertembed.export.inference import inference_form
from tf_bertembed.export.metadata import check_metrics, describe, versions, write_metadata
from tf_bertembed.export.precision import check_precision, in_precision
from tf_bertembed.export.records import to_columns, write_record
from tf_bertembed.export.servability import servability_problems
from tf_bertembed.export.served_task import ServedTask
from tf_bertembed.export.warmup import write_warmup


def export_saved_model(
    task,
    folder,
    *,
    version=None,
    examples=None,
    overwrite=False,
    precision="float32",
    warmup=True,
    metrics=None,
):
    """Export a task as `folder/version/`, for TensorFlow Serving or any other server.

    Each signature takes strings and runs the task's own preprocessor in the
    graph, so what is served is what was trained: `serving_default`, `embed`,
    `tokenize` (of one text: `pieces`, `token_ids`, and `starts` and `ends` in
    code points), and for a `TextClassifier` `classify`, which TensorFlow
    Serving's classification requests reach. The tables of words travel inside;
    the optimizer and its state do not. What was trained in mixed precision is
    served in float32, what was learned at low rank (`models.add_lora`) is added
    to the kernels.

    Beside the model, in `assets.extra`: what the model in memory answers to a
    few examples (`tf_bertembed.json`), for `verify` to compare with; what the
    model is (`metadata.json`, see `read_metadata`); and requests that TensorFlow
    Serving runs before it says that the model is there
    (`tf_serving_warmup_requests`). The folder appears when it is complete, or
    not at all, as servers that watch `folder` need it.

    Args:
        task: a task of `tf_bertembed.tasks`, with a preprocessor. Any object
            with a `preprocessor`, `text_inputs` (names of its inputs) and
            `signatures()` (name to function from features to a dict of
            tensors) will do; its `check_parts()` is called if it has one. A
            signature that takes other strings is named by
            `signature_inputs()`: to the names of its inputs, and a function
            from a tuple of them to features. One of the name `classify` gives
            `classes` and `scores`, and is made to take `tf.Example`s.
        folder: string or `pathlib.Path`. The folder of all versions, for
            example `saved_models/bbc`; its last part is the model's name.
        version: int. The version, from 1 to 2**63 - 1; `None` for the one
            after the highest in `folder`.
        examples: list of strings, for pairs list of tuples of two strings.
            The texts to record; `None` for a few of several languages, an
            empty one and one that is too long.
        overwrite: bool. Whether to replace a version that is there.
        precision: string. How large weights are stored: `"float32"`, or
            `"bfloat16"`, which takes half the room on disk. They are widened
            when the model is loaded, and answers are float32 either way.
        warmup: bool. Whether to write requests for the server's warm-up.
        metrics: dict that JSON can hold. What the task reached, for the
            metadata; `None` where nobody said.

    Returns:
        The folder of the version as `pathlib.Path`.

    Raises:
        OutputExistsError: where the version exists and `overwrite` is False.
        FileFormatError: where `folder` is a file.
        BertEmbedError: where the version or an example is not as above, the
            task has no preprocessor or one that does not fit, an output does
            not begin with the batch or is not finite, the graph holds what a
            stock TensorFlow Serving 2.19 cannot load, or the precision is
            unknown or changes the answers too much.

    Example:

    ```python
    from tf_bertembed import export, models, tasks, text

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "good", "bad", "film"])
    backbone = models.BertEmbedBackbone(
        vocabulary_size=8, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16
    )
    task = tasks.TextClassifier(
        backbone, labels=["no", "yes"], preprocessor=text.Preprocessor(tokenizer, 16)
    )
    path = export.export_saved_model(task, "saved_models/films", examples=["good film"])
    assert path.as_posix() == "saved_models/films/1"
    ```

    References:
        - TensorFlow's guide to SavedModel: https://www.tensorflow.org/guide/saved_model
        - Warm-up: https://www.tensorflow.org/tfx/serving/saved_model_warmup
    """
    if getattr(task, "preprocessor", None) is None:
        raise BertEmbedError(
            "A task is exported together with its preprocessor. "
            f"Received: {type(task).__name__} with `preprocessor=None`."
        )
    check_precision(precision, task)
    check_metrics(metrics)
    if hasattr(task, "check_parts"):
        task.check_parts()
    columns = to_columns(examples, task.text_inputs)
    target = _version_folder(Path(folder), version)
    remedy = "Choose another version, or pass `overwrite=True` (--force) to replace it."
    if target.exists() and not overwrite:
        raise OutputExistsError(target, remedy)
    served = ServedTask(inference_form(task))
    inputs = served.requests(columns)
    outputs = served.answers_in_memory(inputs)
    served, outputs, stored = in_precision(precision, served, inputs, outputs)
    with atomic_path(target, overwrite=overwrite, remedy=remedy) as place:
        served.save(place)
        meta_graph = _servable_graph(place)
        write_record(place, inputs, outputs, versions())
        warmed = write_warmup(place, served, columns) if warmup else None
        facts = describe(place, served.task, meta_graph, metrics, stored, warmed)
        write_metadata(place, facts)
    return target


def _version_folder(folder, version):
    if folder.exists() and not folder.is_dir():
        raise FileFormatError(folder, "A folder for the model's versions was expected.")
    if version is None:
        version = 1 + max(numbered_folders(folder), default=0)
        if version > LARGEST_NUMBER:
            raise BertEmbedError(
                f"{folder} holds version {LARGEST_NUMBER}, the highest there can be. "
                "Choose a `version` (--version) below it."
            )
    check_at_least(1, version=version)
    if version > LARGEST_NUMBER:
        raise BertEmbedError(
            f"`version` must be at most {LARGEST_NUMBER}: servers hold it in 64 bits. "
            f"Received: {version!r}."
        )
    return folder / str(version)


def _servable_graph(place):
    saved_model = saved_model_pb2.SavedModel.FromString((place / "saved_model.pb").read_bytes())
    meta_graph = saved_model.meta_graphs[0]
    problems = servability_problems(meta_graph)
    if problems:
        raise BertEmbedError(
            f"A stock TensorFlow Serving could not load this model. Received: {' '.join(problems)}"
        )
    return meta_graph
