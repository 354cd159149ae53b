"""Checkpoints of every format: into a folder of this project, and out of it."""

import dataclasses
from pathlib import Path

import keras

from tf_bertembed import models, tasks
from tf_bertembed.common import (
    BertEmbedError,
    FileFormatError,
    MissingFileError,
    OutputExistsError,
    atomic_path,
    read_json,
)
from tf_bertembed.models.google import GoogleSource, find_google_prefix
from tf_bertembed.models.huggingface_tokenizer import longest_text
from tf_bertembed.models.parts import check_parts
from tf_bertembed.models.sentence_transformers import write_sentence_settings
from tf_bertembed.models.tensors_file import MASKED_LM_BIAS, open_weights
from tf_bertembed.models.tokenizers import google_lowercase
from tf_bertembed.tasks.huggingface import published_head
from tf_bertembed.text import Preprocessor, load_vocabulary, save_vocabulary

FORMATS = ("huggingface", "keras-nlp")
EXISTS = "Choose another place, or pass `overwrite=True` (--force) to replace it."


class _Read:
    """What a checkpoint gave: a backbone, perhaps with its head, and what was not taken."""

    def __init__(
        self,
        backbone,
        task=None,
        preprocessor=None,
        left_out=(),
        lowercase_from=None,
        sentences=None,
    ):
        self.backbone = backbone
        self.task = task
        self.preprocessor = task.preprocessor if task is not None else preprocessor
        self.left_out = list(left_out)
        self.lowercase_from = lowercase_from
        self.sentences = sentences

    def report(self):
        """What a user wants to know of it, ready for JSON."""
        names = ("num_layers", "num_heads", "hidden_dim", "vocabulary_size", "activation")
        found = {name: getattr(self.backbone, name) for name in names}
        found["task"] = None if self.task is None else type(self.task).__name__
        if self.preprocessor is not None:
            found["sequence_length"] = self.preprocessor.sequence_length
            found["lowercase"] = self.preprocessor.tokenizer.lowercase
        if self.sentences is not None:
            found["pooling"] = self.sentences.pooling
            found["normalize"] = self.sentences.normalize
        if self.lowercase_from is not None:
            found["lowercase_from"] = self.lowercase_from
        return {**found, "left_out": self.left_out}


def _preprocessor(folder, sequence_length, backbone, lowercase=None):
    tokenizer = models.load_tokenizer(folder, lowercase)
    return Preprocessor(tokenizer, sequence_length or backbone.max_sequence_length)


def _read_huggingface(folder, sequence_length, head):
    settings = models.read_sentence_transformers(folder)
    if settings is not None:
        folder = settings.folder
    path = folder / "config.json"
    config, source = read_json(path), open_weights(folder)
    if head and settings is None and published_head(path, config, source) is not None:
        task = tasks.load_huggingface(folder, sequence_length=sequence_length)
        return _Read(task.backbone, task)
    backbone = models.load_huggingface(folder)
    if settings is not None:
        longest = settings.sequence_length
    else:
        longest = longest_text(folder, backbone.max_sequence_length)
    left_out = [f"the tensor {name}" for name in source.head_names]
    preprocessor = _preprocessor(folder, sequence_length or longest, backbone)
    if settings is not None and sequence_length:
        settings = dataclasses.replace(settings, sequence_length=sequence_length)
    return _Read(backbone, None, preprocessor, left_out, sentences=settings)


def _read_google(folder, lowercase, sequence_length, activation, head):
    _, told = google_lowercase(folder, load_vocabulary(folder / "vocab.txt"), lowercase)
    has_head = MASKED_LM_BIAS in GoogleSource(find_google_prefix(folder))
    if head and has_head:
        task = tasks.load_google(folder, lowercase, sequence_length, activation)
        return _Read(task.backbone, task, lowercase_from=told)
    backbone = models.load_google(folder, activation)
    preprocessor = _preprocessor(folder, sequence_length, backbone, lowercase)
    left_out = ["the heads of masked words and next sentences"] if has_head else []
    return _Read(backbone, None, preprocessor, left_out, told)


def _read_keras_nlp(folder, sequence_length):
    backbone = models.load_keras_nlp(folder)
    settings = folder / "preprocessor.json"
    if sequence_length is None and settings.exists():
        config = read_json(settings).get("config")
        stated = config.get("sequence_length") if isinstance(config, dict) else None
        if type(stated) is int and 3 <= stated <= backbone.max_sequence_length:
            sequence_length = stated
    left_out = []
    if (folder / "task.json").exists():
        left_out.append(f"the head of {read_json(folder / 'task.json').get('class_name')}")
    preprocessor = _preprocessor(folder, sequence_length, backbone)
    return _Read(backbone, None, preprocessor, left_out)


def _read_own(folder):
    path = folder / "task.json"
    if path.exists():
        content = read_json(path)
        name = content.get("class_name")
        known = [entry for entry in tasks.__all__ if entry[0].isupper()]
        if name not in known or content.get("registered_name") != f"tf_bertembed>{name}":
            raise FileFormatError(
                path, f"A task of {', '.join(known)} was expected. Received: {name!r}."
            )
        task = getattr(tasks, name).from_preset(str(folder))
        return _Read(task.backbone, task)
    preprocessor = None
    if (folder / "preprocessor.json").exists():
        preprocessor = Preprocessor.from_preset(str(folder))
    settings = models.read_sentence_transformers(folder)
    return _Read(models.load(folder), None, preprocessor, sentences=settings)


def _read(folder, lowercase=None, sequence_length=None, activation=None, head=True):
    form = models.checkpoint_format(folder)
    if form == "google":
        return form, _read_google(folder, lowercase, sequence_length, activation, head)
    given = {"lowercase": lowercase, "activation": activation}
    given = [f"{name}={value!r}" for name, value in given.items() if value is not None]
    if given:
        raise BertEmbedError(
            "`lowercase` and `activation` are for Google's folders, which leave them open; "
            f"{folder} ({form}) says them. Received: {', '.join(given)}."
        )
    if form == "huggingface":
        return form, _read_huggingface(folder, sequence_length, head)
    if form == "keras-nlp":
        return form, _read_keras_nlp(folder, sequence_length)
    return form, _read_own(folder)


def _seed(seed):
    if seed is not None:
        keras.utils.set_random_seed(seed)


def _spare(source, folder):
    """Raise where writing to the folder would replace the source, or what holds it."""
    place = Path(folder).resolve()
    if source.resolve() == place or place in source.resolve().parents:
        raise BertEmbedError(
            f"The output {folder} is, or holds, what is to be read, {source}, and would replace "
            "it. Choose another place."
        )


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
        _spare(source, folder)
    with atomic_path(folder, overwrite=overwrite, remedy=EXISTS) as place:
        _seed(seed)
        form, read = _read(source, lowercase, sequence_length, activation, head)
        if read.preprocessor is None:
            raise MissingFileError(
                source / "vocab.txt", "Put the vocabulary of the model beside its weights."
            )
        check_parts(read.backbone, read.preprocessor)
        place.mkdir()
        if read.task is not None:
            read.task.save_to_preset(str(place))
        else:
            read.backbone.save_to_preset(str(place))
            read.preprocessor.save_to_preset(str(place))
        if read.sentences is not None:
            write_sentence_settings(read.sentences, place)
        save_vocabulary(read.preprocessor.tokenizer.get_vocabulary(), place / "vocab.txt")
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
        _spare(source, folder)
    elif Path(folder).exists():
        raise OutputExistsError(folder, EXISTS)
    _seed(seed)
    _, read = _read(source, head=head)
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
