"""A trained RUN as a SavedModel."""

from pathlib import Path

from tf_bertembed.common import read_json
from tf_bertembed.export.saved_model import export_saved_model
from tf_bertembed.text import SquadExample
from tf_bertembed.training.recipes import load_run
from tf_bertembed.training.using_runs import read_examples

# They are kept beside the model with the answers to them.
MOST_EXAMPLES = 64
METRICS = "metrics.json"


def export_run(
    run,
    folder,
    *,
    version=None,
    examples=None,
    overwrite=False,
    precision="float32",
    warmup=True,
):
    """Export a trained RUN as `folder/version/`; see `export_saved_model`.

    The metrics of the RUN go into the metadata.

    Args:
        run: string or `pathlib.Path`. The RUN, of any kind of task.
        folder: string or `pathlib.Path`. The folder of all versions, for
            example `saved_models/bbc`; its last part is the model's name.
        version: int. The version, from 1 to 2**63 - 1; `None` for the one
            after the highest in `folder`.
        examples: string or `pathlib.Path`. A data file of the task, with or
            without labels, or a `.txt` of a text a line, the first 64 rows of
            which are recorded; or a list, as for `export_saved_model`; `None`
            for texts of the package's own.
        overwrite: bool. Whether to replace a version that is there.
        precision: string. As for `export_saved_model`.
        warmup: bool. Whether to write requests for the server's warm-up.

    Returns:
        The folder of the version as `pathlib.Path`.

    Raises:
        MissingFileError: where the RUN or the examples are missing.
        FileFormatError: where one of them is not what it should be, or
            `folder` is a file.
        OutputExistsError: where the version exists and `overwrite` is False.
        BertEmbedError: as `export_saved_model` does.

    Example:

    ```python
    from tf_bertembed import export, models, tasks, text

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "match", "chip"])
    backbone = models.BertEmbedBackbone(7, 1, 2, 8, 16, max_sequence_length=16)
    preprocessor = text.Preprocessor(tokenizer, sequence_length=16)
    tasks.TextClassifier(backbone, ["sport", "tech"], preprocessor).save_to_preset("run")
    path = export.export_run("run", "saved_models/news", examples=["A match."], warmup=False)
    assert path.as_posix() == "saved_models/news/1"
    ```
    """
    recipe, task = load_run(run)
    if isinstance(examples, (str, Path)):
        examples = _rows(recipe, task, examples)
    metrics = Path(run) / METRICS
    return export_saved_model(
        task,
        folder,
        version=version,
        examples=examples,
        overwrite=overwrite,
        precision=precision,
        warmup=warmup,
        metrics=_filled(read_json(metrics)) if metrics.exists() else None,
    )


def _filled(metrics):
    """Metrics without the groups that hold none; `None` where nothing is left."""
    return {name: value for name, value in metrics.items() if value != {}} or None


def _rows(recipe, task, source):
    found = read_examples(recipe, source)
    found = found.rows(range(min(len(found), MOST_EXAMPLES)))
    # An encoder takes single texts, though its files hold pairs of them.
    columns = found.inputs[:1] if recipe.name == "similarity" else found.inputs
    joint = "" if getattr(task.preprocessor, "split", None) == "characters" else " "

    def texts(item):
        if isinstance(item, SquadExample):
            return item.question, item.context
        return (item if isinstance(item, str) else joint.join(item),)

    return [sum(map(texts, row), ()) for row in zip(*columns, strict=True)]
