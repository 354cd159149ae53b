"""The JSON of answers, number by number, against the rules of TensorFlow Serving's writer."""

import json

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tf_bertembed.serving import ServingError
from tf_bertembed.serving.rest.json_answers import (
    classification_body,
    columns_body,
    error_body,
    regression_body,
    rows_body,
)


def strings(*values):
    array = np.empty(len(values), object)
    array[:] = values
    return array


def written(value, dtype):
    """One number, as json_tensor.cc describes it: six digits, or all where those are not it."""
    value = np.dtype(dtype).type(value)
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    text = f"{float(value):.6g}"
    if np.dtype(dtype).type(text) != value:
        text = f"{float(value):.{ {'float32': 9, 'float64': 17}[dtype] }g}"
    return text if "." in text or "e" in text else f"{text}.0"


def numbers(values, dtype):
    body = columns_body({"x": np.array(values, dtype)}).decode()
    return body.removeprefix('{"outputs": [').removesuffix("]}\n").split(", ")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.2, "0.2"),
        (1, "1.0"),
        (-0.0, "-0.0"),
        (9000000, "9e+06"),
        (0.00003, "3e-05"),
        (1234567, "1234567.0"),
        (0.1 + 0.2, "0.3"),
        (1 / 3, "0.333333343"),
        (16777216, "16777216.0"),
        (999999, "999999.0"),
        (1e9, "1e+09"),
        (3.4028235e38, "3.40282347e+38"),
    ],
)
def test_floats_that_can_be_checked_by_eye(value, text):
    (found,) = numbers([value], "float32")
    assert np.float32(found) == np.float32(value)
    assert found == written(value, "float32")
    assert found == text


@settings(max_examples=300)
@given(st.lists(st.floats(width=32), min_size=1, max_size=20))
@example([1e6, 999999.5, 1e9, 123456789.0, -1e-38, 1e-7])
def test_every_float32(values):
    assert numbers(values, "float32") == [written(value, "float32") for value in values]


@settings(max_examples=300)
@given(st.lists(st.floats(), min_size=1, max_size=20))
@example([1e16, 1e17, 123456.0, 1234567.0, 5e-324, 1.7976931348623157e308])
def test_every_float64(values):
    assert numbers(values, "float64") == [written(value, "float64") for value in values]


def test_rows_and_columns_of_every_rank():
    outputs = {
        "b%s": np.arange(12).reshape(2, 2, 3),
        "a": np.array([1.5, 2]),
        "empty": np.zeros([2, 0, 3], np.int32),
        "flag": np.array([[True], [False]]),
    }
    assert json.loads(rows_body(outputs)) == {
        "predictions": [
            {"a": 1.5, "b%s": [[0, 1, 2], [3, 4, 5]], "empty": [], "flag": [True]},
            {"a": 2.0, "b%s": [[6, 7, 8], [9, 10, 11]], "empty": [], "flag": [False]},
        ]
    }
    assert json.loads(columns_body(outputs)) == {
        "outputs": {name: array.tolist() for name, array in outputs.items()}
    }


def test_one_output_has_no_name():
    assert json.loads(rows_body({"x": np.array([1, 2])})) == {"predictions": [1, 2]}
    assert json.loads(columns_body({"x": np.array(7)})) == {"outputs": 7}
    assert json.loads(columns_body({"x": np.zeros([0, 2])})) == {"outputs": []}


def test_strings():
    texts = strings(b'a"\\\n\x00', "中😀".encode(), b"\xff")
    body = rows_body({"x": texts})
    assert json.loads(body.decode("utf-8", "surrogateescape"))["predictions"] == [
        'a"\\\n\x00',
        "中😀",
        "\udcff",
    ]
    assert b'"\xff"' in body
    assert "中😀".encode() in body
    assert json.loads(rows_body({"x_bytes": strings(b"\xff")}))["predictions"] == [{"b64": "/w=="}]
    assert json.loads(rows_body({"x_bytes": np.array([1])}))["predictions"] == [1]


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({"x": np.array(1)}, "Tensor name: x has no shape information "),
        ({"x": np.zeros([0])}, "Tensor name: x has invalid batch size: 0"),
        (
            {"x": np.zeros([1]), "y": np.zeros([2])},
            "Tensor name: y has inconsistent batch size: 2 expecting: 1",
        ),
        (
            {"x": np.zeros([1], np.float16)},
            "Failed to write JSON value for tensor type: half",
        ),
        (
            {"x": np.zeros([1], np.complex64)},
            "Failed to write JSON value for tensor type: complex64",
        ),
    ],
)
def test_what_cannot_be_written(outputs, message):
    with pytest.raises(ServingError) as caught:
        rows_body(outputs)
    assert str(caught.value) == message


def test_results():
    classes = np.array([[b"a", b"b"]], object)
    scores = np.array([[0.25, 0.75]], np.float32)
    assert json.loads(classification_body(classes, scores)) == {
        "results": [[["a", 0.25], ["b", 0.75]]]
    }
    assert json.loads(classification_body(None, scores)) == {"results": [[["", 0.25], ["", 0.75]]]}
    assert json.loads(classification_body(classes, None)) == {"results": [[["a", 0.0], ["b", 0.0]]]}
    assert json.loads(regression_body(np.array([1.5, 2], np.float32))) == {"results": [1.5, 2.0]}


def test_errors_are_always_utf8():
    assert json.loads(error_body("a\udcff\n")) == {"error": "a?\n"}
