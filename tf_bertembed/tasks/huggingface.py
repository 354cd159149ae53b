"""Hugging Face BERT folders with their heads: tasks in and out."""

from pathlib import Path

import numpy as np

from tf_bertembed.common import BertEmbedError, FileFormatError
from tf_bertembed.models.huggingface import read_huggingface, write_huggingface
from tf_bertembed.models.huggingface_config import huggingface_config, share
from tf_bertembed.models.huggingface_tokenizer import has_tokenizer, longest_text
from tf_bertembed.models.tensors import (
    Slot,
    assign_slots,
    backbone_tensors,
    dense_slots,
    norm_slots,
    slot_tensors,
)
from tf_bertembed.models.tensors_file import MASKED_LM_BIAS
from tf_bertembed.tasks.classification.text_classifier import TextClassifier
from tf_bertembed.tasks.pretrainer import Pretrainer
from tf_bertembed.tasks.question_answering.question_answerer import QuestionAnswerer
from tf_bertembed.tasks.tagging.token_classifier import TokenClassifier
from tf_bertembed.text import (
    BertEmbedTokenizer,
    Preprocessor,
    QuestionPreprocessor,
    TaggingPreprocessor,
)

PRETRAINING, MASKED_LM = "BertForPreTraining", "BertForMaskedLM"
CLASSIFICATION = "BertForSequenceClassification"
SINGLE_LABEL, MULTI_LABEL = "single_label_classification", "multi_label_classification"
ANSWERING = "BertForQuestionAnswering"
TAGGING = "BertForTokenClassification"
KNOWN = (PRETRAINING, MASKED_LM, CLASSIFICATION, ANSWERING, TAGGING)
WITHOUT_POOLER = (MASKED_LM, ANSWERING, TAGGING)
WORD_TABLE = "embeddings.word_embeddings.weight"
NEXT_SENTENCE = "cls.seq_relationship"
DECODER = "cls.predictions.decoder.weight"
DECODER_BIAS = "cls.predictions.decoder.bias"


def pretraining_slots(task, bias=MASKED_LM_BIAS):
    """The slots of a `Pretrainer`'s heads, the scores' bias under one of its two names."""
    head = task.masked_lm_head
    transform = "cls.predictions.transform"
    slots = [
        *dense_slots(head.transform_dense, f"{transform}.dense"),
        *norm_slots(head.transform_norm, f"{transform}.LayerNorm"),
        Slot(head.output_bias, (bias,)),
    ]
    if not task.tie_weights:
        slots.append(Slot(head.output_embeddings, (DECODER,)))
    if task.next_sentence_dense is not None:
        # The published head answers 0 where the second text follows; here that is 1.
        slots += dense_slots(task.next_sentence_dense, NEXT_SENTENCE, flipped=True)
    return slots


def _classification_slots(task):
    return dense_slots(task.output_dense, "classifier")


def _answering_slots(task):
    return dense_slots(task.output_dense, "qa_outputs")


def _is_tied(backbone, config, source):
    """Whether the token table scores the pieces; raises where a folder contradicts itself."""
    if not config.get("tie_word_embeddings", True):
        return False
    if DECODER in source:
        table = np.asarray(backbone.token_embedding.embeddings)
        if not np.array_equal(source.get(DECODER, table.shape), table):
            raise FileFormatError(
                source.path,
                f"The tensor {source.stored_name(DECODER)} differs from "
                f"{source.stored_name(WORD_TABLE)}, yet config.json does not say "
                '"tie_word_embeddings": false.',
            )
    return True


def _preprocessor(folder, backbone, sequence_length, cls=Preprocessor):
    if not has_tokenizer(folder):
        return None
    longest = longest_text(folder, backbone.max_sequence_length)
    return cls(BertEmbedTokenizer.from_folder(folder), sequence_length or longest)


def _labels(path, config):
    kind = config.get("problem_type") or SINGLE_LABEL
    if kind not in (SINGLE_LABEL, MULTI_LABEL):
        raise FileFormatError(
            path,
            f"A classifier assigns labels: `problem_type` must be '{SINGLE_LABEL}', "
            f"'{MULTI_LABEL}' or null. Received: {kind!r}.",
        )
    count = config.get("num_labels", 2)
    if type(count) is not int or count < 1:
        raise FileFormatError(
            path, f"`num_labels` must be a whole number of at least 1. Received: {count!r:.200}."
        )
    names = config.get("id2label", {str(i): f"LABEL_{i}" for i in range(count)})
    try:
        numbered = {int(number): name for number, name in names.items()}
        labels = [numbered[number] for number in range(len(numbered))]
    except (AttributeError, KeyError, ValueError) as error:
        raise FileFormatError(
            path, f"`id2label` must name the classes 0, 1, ... Received: {names!r:.200}."
        ) from error
    if len(labels) == 1 and kind == SINGLE_LABEL:
        raise FileFormatError(
            path, "A head of one output is a regression; a classifier needs two labels or more."
        )
    return labels


def _named_architectures(path, config):
    named = config.get("architectures")
    named = [] if named is None else named
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        raise FileFormatError(
            path, f"`architectures` must be a list of strings. Received: {named!r:.200}."
        )
    return named


def published_head(path, config, source):
    """The class of a head that a task has; `None` where the folder has none such."""
    named = _named_architectures(path, config)
    found = next((name for name in named if name in KNOWN), None)
    if found is None and not named and MASKED_LM_BIAS in source:
        return MASKED_LM
    return found


def _architecture(path, config, source):
    found = published_head(path, config, source)
    if found is not None:
        return found
    named = _named_architectures(path, config)
    heads = ", ".join(source.head_names) or "none"
    raise FileFormatError(
        path,
        f"A task needs a head of {', '.join(KNOWN)}, named under `architectures`. Received: "
        f"{named}, with the tensors of heads: {heads}. `models.load_huggingface` loads the "
        "encoder alone.",
    )


def load_huggingface(folder, sequence_length=None, pair=False, **overrides):
    """Load a Hugging Face BERT folder as a task, with its head.

    `BertForPreTraining` and `BertForMaskedLM` become a `Pretrainer`, which
    tells next sentences where the folder has that head (its two classes change
    places: here 1 means that the second text follows), tied to the token table
    or not as the folder is;
    `BertForSequenceClassification` becomes a `TextClassifier` with the labels
    of `id2label`, `BertForTokenClassification` likewise a `TokenClassifier`
    (set its preprocessor's `split` for texts that white space does not cut);
    `BertForQuestionAnswering` becomes a `QuestionAnswerer`. Other heads, such
    as that of `BertForNextSentencePrediction`, are not read;
    `models.load_huggingface` loads their encoder.

    Args:
        folder: string or `pathlib.Path`. The folder. Where it has a
            vocabulary, the task has a preprocessor.
        sequence_length: int. The preprocessor's; `None` for the tokenizer's
            `model_max_length`, at most the length of the position table.
        pair: bool. Whether a classifier takes pairs; see `TextClassifier`.
        **overrides: `dtype`, `dropout` and `name` of the backbone.

    Returns:
        A `Pretrainer`, `TextClassifier`, `TokenClassifier` or
        `QuestionAnswerer`.

    Raises:
        MissingFileError: where the folder or a needed file is missing.
        FileFormatError: where a file is broken, names no head that a task
            has, or a tensor is missing or of the wrong shape (the message
            names it).
        BertEmbedError: where an argument contradicts the folder.

    Example:

    ```python
    from tf_bertembed import models, tasks

    backbone = models.BertEmbedBackbone(100, 1, 2, 8, 16)
    classifier = tasks.TextClassifier(backbone, ["sport", "tech"])
    tasks.save_huggingface(classifier, "my-classifier")
    again = tasks.load_huggingface("my-classifier")
    assert again.labels == ["sport", "tech"]
    ```
    """
    folder = Path(folder)
    unknown = sorted(set(overrides) - {"dtype", "dropout", "name"})
    if unknown:
        raise BertEmbedError(
            "With its head a folder leaves only `dtype`, `dropout` and `name` to choose; word "
            f"vectors join by `models.with_fusion`. Received: {unknown}."
        )
    backbone, config, source = read_huggingface(folder, **overrides)
    path = folder / "config.json"
    kind = _architecture(path, config, source)
    if pair and kind != CLASSIFICATION:
        raise BertEmbedError(f"`pair` is for classifiers. Received: a folder of {kind}.")
    if kind == ANSWERING:
        preprocessor = _preprocessor(folder, backbone, sequence_length, QuestionPreprocessor)
        task = QuestionAnswerer(backbone, preprocessor)
        assign_slots(_answering_slots(task), source)
        return task
    if kind == TAGGING:
        preprocessor = _preprocessor(folder, backbone, sequence_length, TaggingPreprocessor)
        dropout = share(path, config, "classifier_dropout", backbone.dropout)
        task = TokenClassifier(backbone, _labels(path, config), preprocessor, dropout)
        assign_slots(_classification_slots(task), source)
        return task
    preprocessor = _preprocessor(folder, backbone, sequence_length)
    if kind == CLASSIFICATION:
        dropout = share(path, config, "classifier_dropout", backbone.dropout)
        labels = _labels(path, config)
        multi_label = config.get("problem_type") == MULTI_LABEL
        task = TextClassifier(
            backbone, labels, preprocessor, dropout=dropout, pair=pair, multi_label=multi_label
        )
        assign_slots(_classification_slots(task), source)
        return task
    next_sentence = kind == PRETRAINING or f"{NEXT_SENTENCE}.weight" in source
    tied = _is_tied(backbone, config, source)
    task = Pretrainer(backbone, preprocessor, next_sentence=next_sentence, tie_weights=tied)
    # A decoder of its own adds its own bias; the other one is then read by nobody.
    bias = DECODER_BIAS if not tied and DECODER_BIAS in source else MASKED_LM_BIAS
    assign_slots(pretraining_slots(task, bias), source)
    return task


def _published(task):
    """The class that loads a task, its head's slots, and what `config.json` says of it."""
    if isinstance(task, Pretrainer):
        extra = {"tie_word_embeddings": task.tie_weights}
        return (PRETRAINING if task.next_sentence else MASKED_LM), pretraining_slots(task), extra
    if isinstance(task, QuestionAnswerer):
        return ANSWERING, _answering_slots(task), {}
    if isinstance(task, TokenClassifier):
        return TAGGING, _classification_slots(task), _label_settings(task)
    if not isinstance(task, TextClassifier):
        raise BertEmbedError(
            "A Pretrainer, a TextClassifier, a TokenClassifier or a QuestionAnswerer was "
            f"expected. Received: {type(task).__name__}."
        )
    if task.pooling != "cls":
        raise BertEmbedError(
            "Hugging Face's classification head reads the pooler: only pooling='cls' can be "
            f"exported. Received: pooling={task.pooling!r}."
        )
    kind = MULTI_LABEL if task.multi_label else SINGLE_LABEL
    return (
        CLASSIFICATION,
        _classification_slots(task),
        {**_label_settings(task), "problem_type": kind},
    )


def _label_settings(task):
    return {
        "id2label": dict(enumerate(task.labels)),
        "label2id": {label: number for number, label in enumerate(task.labels)},
        "classifier_dropout": task.dropout,
    }


def save_huggingface(task, folder, overwrite=False):
    """Write a task as a Hugging Face folder, with its head and tokenizer.

    A `Pretrainer` is written for `transformers.BertForPreTraining`, or
    without `next_sentence` for `BertForMaskedLM`, which has no pooler; a
    `TextClassifier` for `BertForSequenceClassification`; a `TokenClassifier`
    for `BertForTokenClassification` and a `QuestionAnswerer` for
    `BertForQuestionAnswering`, which have no pooler either, nor a place for
    the answerer's threshold.

    Args:
        task: a `Pretrainer`, a `TokenClassifier`, a `QuestionAnswerer`, or a
            `TextClassifier` with `pooling="cls"`, over a backbone that
            `models.save_huggingface` can write.
        folder: string or `pathlib.Path`. The folder to make.
        overwrite: bool. Whether to replace what stands at `folder`.

    Raises:
        BertEmbedError: where BERT has no place for a part of the task (the
            message names it).
        OutputExistsError: where something is there and `overwrite` is False.

    Example:

    ```python
    from tf_bertembed import models, tasks

    pretrainer = tasks.Pretrainer(models.BertEmbedBackbone(100, 1, 2, 8, 16))
    tasks.save_huggingface(pretrainer, "my-bert")
    assert tasks.load_huggingface("my-bert").next_sentence
    ```
    """
    architecture, slots, extra = _published(task)
    config = {**huggingface_config(task.backbone, architecture), **extra}
    tensors = {
        f"bert.{name}": value
        for name, value in backbone_tensors(task.backbone).items()
        if architecture not in WITHOUT_POOLER or not name.startswith("pooler.")
    }
    tensors.update(slot_tensors(slots))
    if DECODER in tensors:
        # transformers asks for both of these where a decoder is not tied.
        tensors[DECODER_BIAS] = tensors[MASKED_LM_BIAS].copy()
    tokenizer = sequence_length = None
    if task.preprocessor is not None:
        tokenizer = task.preprocessor.tokenizer
        sequence_length = task.preprocessor.sequence_length
    write_huggingface(folder, task.backbone, tensors, config, tokenizer, sequence_length, overwrite)
