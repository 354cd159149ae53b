"""Signatures that a server would refuse, or could not batch, are found."""

import pytest

from tf_bertembed.export.signature_checks import check_signatures, takes_strings

PREDICT, CLASSIFY = "tensorflow/serving/predict", "tensorflow/serving/classify"


def signature(method=PREDICT, inputs=None, outputs=None):
    texts = {"text": {"dtype": "string", "shape": [None]}}
    vectors = {"embedding": {"dtype": "float32", "shape": [None, 8]}}
    return {
        "method": method,
        "inputs": texts if inputs is None else inputs,
        "outputs": vectors if outputs is None else outputs,
    }


def of(name, dtype="float32", shape=(None,)):
    return {name: {"dtype": dtype, "shape": None if shape is None else list(shape)}}


def test_a_sound_one_has_neither_problems_nor_notes():
    classes = {**of("classes", "string", (None, 3)), **of("scores", shape=(None, 3))}
    sound = {
        "serving_default": signature(),
        "classify": signature(CLASSIFY, of("inputs", "string"), classes),
    }
    assert check_signatures(sound) == ([], [])


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"method": "predict"}, "'serving_default' has the method 'predict', which servers refuse"),
        ({"inputs": {}}, "'serving_default' has no inputs."),
        ({"outputs": {}}, "'serving_default' has no outputs."),
        (
            {"outputs": of("score", shape=())},
            "The first dimension of the output 'score' of 'serving_default' is not the batch: "
            "its shape is [].",
        ),
        (
            {"inputs": of("text", "string", (8,))},
            "The first dimension of the input 'text' of 'serving_default' is not the batch",
        ),
        (
            {"outputs": of("score", shape=None)},
            "Nothing is known of the shape of the output 'score' of 'serving_default'.",
        ),
        (
            {"method": CLASSIFY, "outputs": of("scores")},
            "servers want one input 'inputs', not text.",
        ),
        (
            {"method": CLASSIFY, "inputs": of("inputs", "string"), "outputs": of("label")},
            "servers want outputs 'classes' and 'scores', not label.",
        ),
    ],
)
def test_problems(given, problem):
    problems, _ = check_signatures({"serving_default": signature(**given)})
    assert len(problems) == 1
    assert problem in problems[0]


def test_none_at_all():
    assert check_signatures({})[0] == [
        "The model has no signatures: a server has nothing to answer with."
    ]


def test_notes():
    outputs = {**of("output_0"), **of("half", "bfloat16")}
    problems, notes = check_signatures({"embed": signature(outputs=outputs)})
    assert problems == []
    assert notes == [
        "There is no signature 'serving_default': requests must name one.",
        "Nobody named the output 'output_0' of 'embed': TensorFlow did.",
        "JSON holds no bfloat16: the output 'half' of 'embed' is for gRPC alone.",
    ]


def test_which_signatures_take_strings():
    assert takes_strings(signature())
    assert takes_strings(signature(inputs=of("text", "string", None)))
    assert not takes_strings(signature(inputs=of("text", "string", (None, 2))))
    assert not takes_strings(signature(inputs=of("ids", "int32")))
    assert not takes_strings(signature(inputs={**of("text", "string"), **of("ids", "int32")}))
