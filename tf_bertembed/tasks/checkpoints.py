"""Checkpoints of every format: into a folder of this project, and out of it."""

from pathlib import Path

from tf_bertembed import models, tasks
from tf_bertembed.common import BertEmbedError, OutputExistsError, atomic_path
from tf_bertembed.tasks.checkpoint_parts import (
    EXISTS,
    check_spared,
    read_checkpoint,
    require_preprocessor,
    seed_all,
    write_parts,
)

FORMATS = ("huggingface", "keras-nlp")


def import_checkpoint(
    path_or_name,
    folder,
    lowercase=None,
    sequence_length=None,
    activation=None,
    head=True,
    overwrite=False,
    seed=None,
):
    """Turn a checkpoint of any format into a folder that every part of this project reads.

    Takes a Hugging Face or sentence-transformers folder, Google's checkpoint
    of TensorFlow 1, or a preset of keras-nlp's `BertBackbone`. The folder
    that it writes is a keras-nlp preset of a `BertEmbedBackbone`, or of a
    task where the checkpoint has a head that a task has, with the tokenizer,
    the preprocessor and `vocab.txt`. How a sentence-transformers folder pools
    and normalises is kept beside, where `models.load_encoder` finds it.

    Args:
        path_or_name: string or `pathlib.Path`. The folder, or a name that
            `models.find_checkpoint` knows.
        folder: string or `pathlib.Path`. The folder to make.
        lowercase: bool. For Google's folders; see `models.load_tokenizer`.
        sequence_length: int. The most pieces of a text; `None` for what the
            checkpoint says.
        activation: string. For Google's folders; see `models.load_google`.
        head: bool. Whether to keep a head that a task has. Without, the
            encoder of a folder whose head no task can hold is read.
        overwrite: bool. Whether to replace what stands at `folder`.
        seed: int. Seeds what the checkpoint lacks and therefore starts at
            random, such as a pooler.

    Returns:
        A dict, ready for JSON: `source`, `format`, `output`, the sizes, the
        class of the `task` or `None`, `sequence_length`, `lowercase`, for
        Google's folders `lowercase_from`, for those of sentence-transformers
        `pooling` and `normalize`, and a list `left_out`.

    Raises:
        MissingFileError: where a needed file is missing.
        FileFormatError: where a file is not what it should be (the message
            names it, and the tensor).
        OutputExistsError: where something stands at `folder` and `overwrite`
            is False.
        BertEmbedError: where an argument contradicts the checkpoint.

    Example:

    ```python
    from tf_bertembed import models, tasks, text

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "one"])
    backbone = models.BertEmbedBackbone(6, 1, 2, 8, 16)
    models.save_huggingface(backbone, "theirs", tokenizer)
    report = tasks.import_checkpoint("theirs", "ours")
    assert report["format"] == "huggingface"
    assert models.load("ours").hidden_dim == 8
    ```
    """
    source = models.find_checkpoint(path_or_name)
    if models.checkpoint_format(source) == "tf-bertembed":
        raise BertEmbedError(
            f"{source} is a folder of this project already; `export_checkpoint` (`checkpoint "
            "export`) writes it in another format."
        )
    if overwrite:
        check_spared(source, folder)
    with atomic_path(folder, overwrite=overwrite, remedy=EXISTS) as place:
        seed_all(seed)
        form, read = read_checkpoint(source, lowercase, sequence_length, activation, head)
        require_preprocessor(read, source)
        write_parts(read, place)
    return {"source": str(path_or_name), "format": form, "output": str(folder), **read.report()}


def export_checkpoint(
    path_or_name,
    folder,
    form="huggingface",
    head=True,
    approximate=False,
    overwrite=False,
    seed=None,
):
    """Write a checkpoint in the format of another library.

    Args:
        path_or_name: string or `pathlib.Path`. A RUN, or a checkpoint that
            `import_checkpoint` takes.
        folder: string or `pathlib.Path`. The folder to make.
        form: string. `"huggingface"`, for `transformers`, or `"keras-nlp"`,
            for `keras_nlp.models.BertBackbone`, which has no place for heads.
        head: bool. Whether to write the head of a task too, where the format
            has a place for it.
        approximate: bool. For `"keras-nlp"`; see `models.save_keras_nlp`.
        overwrite: bool. Whether to replace what stands at `folder`.
        seed: int. Seeds what the checkpoint lacks and therefore starts at
            random, such as a pooler.

    Returns:
        A dict, ready for JSON, as `import_checkpoint` gives it.

    Raises:
        MissingFileError: where a needed file is missing.
        FileFormatError: where a file is not what it should be.
        OutputExistsError: where something stands at `folder` and `overwrite`
            is False.
        BertEmbedError: where the format has no place for a part of the model
            (the message names it), or there is no such format.

    Example:

    ```python
    from tf_bertembed import models, tasks, text

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "one"])
    backbone = models.BertEmbedBackbone(6, 1, 2, 8, 16)
    backbone.save_to_preset("run")
    text.Preprocessor(tokenizer, 16).save_to_preset("run")
    tasks.export_checkpoint("run", "theirs")
    assert models.checkpoint_format("theirs") == "huggingface"
    ```
    """
    if form not in FORMATS:
        raise BertEmbedError(f"The format must be one of {', '.join(FORMATS)}. Received: {form!r}.")
    source = models.find_checkpoint(path_or_name)
    if overwrite:
        check_spared(source, folder)
    elif Path(folder).exists():
        raise OutputExistsError(folder, EXISTS)
    seed_all(seed)
    _, read = read_checkpoint(source, head=head)
    tokenizer = None if read.preprocessor is None else read.preprocessor.tokenizer
    if form == "keras-nlp":
        models.save_keras_nlp(read.backbone, folder, tokenizer, approximate, overwrite)
    elif read.task is not None and head:
        tasks.save_huggingface(read.task, folder, overwrite)
    else:
        longest = None if read.preprocessor is None else read.preprocessor.sequence_length
        models.save_huggingface(read.backbone, folder, tokenizer, overwrite, longest)
    report = read.report()
    if read.sentences is not None:
        report["left_out"].append("pooling and normalisation")
        del report["pooling"], report["normalize"]
    if read.task is not None and (form == "keras-nlp" or not head):
        report["left_out"].append(f"the head of {report['task']}")
        report["task"] = None
    return {
        "source": str(path_or_name),
        "format": form,
        "output": str(folder),
        **report,
        "activation": "gelu_tanh" if form == "keras-nlp" else report["activation"],
    }
