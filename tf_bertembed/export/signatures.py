"""What an exported model can be asked: the signatures of a task, and those that all have."""

import dataclasses

import tensorflow as tf

from tf_bertembed.export.classify import CLASSIFY, EXAMPLES, parse_examples, to_examples
from tf_bertembed.export.signature_checks import CLASSIFY_METHOD, PREDICT_METHOD
from tf_bertembed.export.tokenize import PieceTable
from tf_bertembed.text import BertEmbedTokenizer

TOKENIZE = "tokenize"
# Pieces of long texts would be most of a record.
TOKENIZED_CHARACTERS = 200


@dataclasses.dataclass(frozen=True)
class Signature:
    """One way to ask a model.

    Args:
        inputs: tuple of strings. The names of its inputs, all strings `[B]`.
        answer: function from a tuple of string tensors to a dict of tensors.
        requests: function from columns of example texts (a dict of lists, by
            the task's own inputs) to this signature's inputs (a dict of lists
            of strings or bytes).
        method: string. TensorFlow Serving's name of the requests it answers.
    """

    inputs: tuple
    answer: object
    requests: object
    method: str = PREDICT_METHOD


def signatures_of(task):
    """The signatures of an exported task.

    Args:
        task: a task, as for `export_saved_model`.

    Returns:
        A dict of `Signature`s by name.
    """
    names = task.text_inputs
    others = task.signature_inputs() if hasattr(task, "signature_inputs") else {}

    def features_of(texts):
        return task.preprocessor(texts if len(texts) > 1 else texts[0])

    found = {}
    for signature, function in task.signatures().items():
        if signature == CLASSIFY:
            found[signature] = Signature(
                (EXAMPLES,),
                _chain(parse_examples(names), features_of, function),
                lambda columns: {EXAMPLES: to_examples(columns)},
                CLASSIFY_METHOD,
            )
            continue
        inputs, features = others.get(signature, (names, features_of))
        found[signature] = Signature(inputs, _chain(features, function), _rotated(inputs))
    tokenizer = getattr(task.preprocessor, "tokenizer", None)
    if isinstance(tokenizer, BertEmbedTokenizer) and TOKENIZE not in found:
        table = PieceTable(tokenizer)
        found[TOKENIZE] = Signature(("text",), lambda texts: table(texts[0]), _beginnings)
    return found


def _chain(*functions):
    def run(value):
        for function in functions:
            value = function(value)
        return dict(value)

    return run


def _rotated(inputs):
    """The task's own columns, and the first one shifted for an input that has none."""

    def requests(columns):
        first = next(iter(columns.values()))
        return {
            name: columns.get(name, first[shift:] + first[:shift])
            for shift, name in enumerate(inputs)
        }

    return requests


def _beginnings(columns):
    return {"text": [text[:TOKENIZED_CHARACTERS] for text in next(iter(columns.values()))]}


def string_specs(names):
    """The `tf.TensorSpec`s of inputs that are strings `[B]`."""
    return [tf.TensorSpec([None], tf.string, name=name) for name in names]
