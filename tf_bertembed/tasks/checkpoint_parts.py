"""The parts of a model in a checkpoint folder of any format, and a folder of this project."""

import dataclasses
from pathlib import Path

import keras

from tf_bertembed import models, tasks
from tf_bertembed.common import BertEmbedError, FileFormatError, MissingFileError, read_json
from tf_bertembed.models.google import GoogleSource, find_google_prefix
from tf_bertembed.models.huggingface_tokenizer import longest_text
from tf_bertembed.models.parts import check_parts
from tf_bertembed.models.sentence_transformers import write_sentence_settings
from tf_bertembed.models.tensors_file import MASKED_LM_BIAS, open_weights
from tf_bertembed.models.tokenizers import google_lowercase
from tf_bertembed.tasks.huggingface import published_head
from tf_bertembed.text import Preprocessor, load_vocabulary, save_vocabulary

EXISTS = "Choose another place, or pass `overwrite=True` (--force) to replace it."


class CheckpointParts:
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
        return CheckpointParts(task.backbone, task)
    backbone = models.load_huggingface(folder)
    if settings is not None:
        longest = settings.sequence_length
    else:
        longest = longest_text(folder, backbone.max_sequence_length)
    left_out = [f"the tensor {name}" for name in source.head_names]
    preprocessor = _preprocessor(folder, sequence_length or longest, backbone)
    if settings is not None and sequence_length:
        settings = dataclasses.replace(settings, sequence_length=sequence_length)
    return CheckpointParts(backbone, None, preprocessor, left_out, sentences=settings)


def _read_google(folder, lowercase, sequence_length, activation, head):
    _, told = google_lowercase(folder, load_vocabulary(folder / "vocab.txt"), lowercase)
    has_head = MASKED_LM_BIAS in GoogleSource(find_google_prefix(folder))
    if head and has_head:
        task = tasks.load_google(folder, lowercase, sequence_length, activation)
        return CheckpointParts(task.backbone, task, lowercase_from=told)
    backbone = models.load_google(folder, activation)
    preprocessor = _preprocessor(folder, sequence_length, backbone, lowercase)
    left_out = ["the heads of masked words and next sentences"] if has_head else []
    return CheckpointParts(backbone, None, preprocessor, left_out, told)


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
    return CheckpointParts(backbone, None, preprocessor, left_out)


def _read_own(folder, head):
    path = folder / "task.json"
    left_out = []
    if path.exists() and not head:
        left_out.append(f"the head of {read_json(path).get('class_name')}")
    elif path.exists():
        content = read_json(path)
        name = content.get("class_name")
        known = [entry for entry in tasks.__all__ if entry[0].isupper()]
        if name not in known or content.get("registered_name") != f"tf_bertembed>{name}":
            raise FileFormatError(
                path, f"A task of {', '.join(known)} was expected. Received: {name!r}."
            )
        task = getattr(tasks, name).from_preset(str(folder))
        return CheckpointParts(task.backbone, task)
    preprocessor = None
    if (folder / "preprocessor.json").exists():
        preprocessor = Preprocessor.from_preset(str(folder))
    settings = models.read_sentence_transformers(folder)
    return CheckpointParts(models.load(folder), None, preprocessor, left_out, sentences=settings)


def read_checkpoint(folder, lowercase=None, sequence_length=None, activation=None, head=True):
    """Read the parts of a checkpoint.

    Args:
        folder: `pathlib.Path`. Its folder.
        lowercase: bool. As `import_checkpoint` takes it, and so the others.
        sequence_length: int.
        activation: string.
        head: bool.

    Returns:
        A pair: the format, as `models.checkpoint_format` names it, and the
        `CheckpointParts`.
    """
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
    return form, _read_own(folder, head)


def require_preprocessor(parts, source):
    """Raise where a checkpoint has no vocabulary, or one that does not fit its model."""
    if parts.preprocessor is None:
        raise MissingFileError(
            source / "vocab.txt", "Put the vocabulary of the model beside its weights."
        )
    check_parts(parts.backbone, parts.preprocessor)


def write_parts(parts, folder):
    """Make a folder that every part of this project reads."""
    folder.mkdir()
    if parts.task is not None:
        parts.task.save_to_preset(str(folder))
    else:
        parts.backbone.save_to_preset(str(folder))
        parts.preprocessor.save_to_preset(str(folder))
    if parts.sentences is not None:
        write_sentence_settings(parts.sentences, folder)
    save_vocabulary(parts.preprocessor.tokenizer.get_vocabulary(), folder / "vocab.txt")


def seed_all(seed):
    """Seed what a checkpoint lacks and therefore starts at random."""
    if seed is not None:
        if not 0 <= seed < 2**32:
            raise BertEmbedError(f"`seed` must be an int from 0 to 2**32 - 1. Received: {seed}.")
        keras.utils.set_random_seed(seed)


def check_spared(source, folder):
    """Raise where writing to the folder would replace the source, or what holds it."""
    place, read = Path(folder).resolve(), Path(source).resolve()
    if read.exists() and (read == place or place in read.parents):
        raise BertEmbedError(
            f"The output {folder} is, or holds, what is to be read, {source}, and would replace "
            "it. Choose another place."
        )
