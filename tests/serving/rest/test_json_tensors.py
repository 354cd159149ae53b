"""What a predict request may hold, and what TensorFlow Serving says of the rest."""

import json

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tf_bertembed.serving import ServingError
from tf_bertembed.serving.rest import json_tensors
from tf_bertembed.serving.rest.json_tensors import predict_inputs
from tf_bertembed.serving.rest.json_values import parse_json, signature_name
from tf_bertembed.serving.signature import TensorSpec


def specs(**types):
    return {name: TensorSpec(dtype, None, f"{name}:0") for name, dtype in types.items()}


ONE = specs(text=tf.string)
TWO = specs(text_a=tf.string, text_b=tf.string)


def read(body, inputs=ONE):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return predict_inputs(parse_json(body), inputs)


def refused(body, inputs=ONE):
    with pytest.raises(ServingError) as caught:
        read(body, inputs)
    assert caught.value.code == "INVALID_ARGUMENT"
    return str(caught.value)


def test_rows_of_strings():
    arrays, rows = read({"instances": ["a", "über", "中文 😀", ""]})
    assert rows
    assert arrays["text"].tolist() == [b"a", "über".encode(), "中文 😀".encode(), b""]


def test_columns_of_strings():
    arrays, rows = read({"inputs": ["a", "b"]})
    assert not rows
    assert arrays["text"].tolist() == [b"a", b"b"]


def test_named_rows_and_columns_agree():
    by_row, _ = read(
        {"instances": [{"text_a": "1", "text_b": "2"}, {"text_b": "4", "text_a": "3"}]}, TWO
    )
    by_column, _ = read({"inputs": {"text_a": ["1", "3"], "text_b": ["2", "4"], "more": 1}}, TWO)
    for name in TWO:
        assert by_row[name].tolist() == by_column[name].tolist()


def test_a_single_input_may_be_named():
    assert read({"instances": [{"text": "a"}]})[0]["text"].tolist() == [b"a"]
    assert read({"inputs": {"text": ["a"]}})[0]["text"].tolist() == [b"a"]


def test_base64_among_strings():
    arrays, _ = read({"instances": [{"b64": "/w=="}, "a", {"b64": "AAE"}]})
    assert arrays["text"].tolist() == [b"\xff", b"a", b"\x00\x01"]


def test_bytes_that_are_not_utf8_stay_as_they_are():
    arrays, _ = read(b'{"instances": ["a\xff\xfeb", "\\u0000"]}')
    assert arrays["text"].tolist() == [b"a\xff\xfeb", b"\x00"]


def test_a_pair_of_surrogates_is_one_character():
    assert read(b'{"instances": ["\\ud83d\\ude00"]}')[0]["text"].tolist() == ["😀".encode()]


@pytest.mark.parametrize(
    "half", [b"\\ud83d", b"\\ude00", b"\\ud83dx", b"\\\\\\uDC80", b"\xff\\udc80"]
)
def test_half_a_pair_of_surrogates(half):
    assert "The surrogate pair in string is invalid. at offset: " in refused(
        b'{"instances": ["' + half + b'"]}'
    )


def test_what_only_looks_like_half_a_pair():
    arrays, _ = read(b'{"instances": ["\\\\ud83d"]}')
    assert arrays["text"].tolist() == [b"\\ud83d"]


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        (tf.float32, [[1, 2.5], [3, -4]], np.array([[1, 2.5], [3, -4]], np.float32)),
        (tf.float64, [1e300, 0], np.array([1e300, 0])),
        (tf.float32, [1e30, 2**70], np.array([1e30, 2**70], np.float32)),
        (tf.int32, [[[-1]]], np.array([[[-1]]], np.int32)),
        (tf.uint8, [0, 255], np.array([0, 255], np.uint8)),
        (tf.int64, [2**63 - 1], np.array([2**63 - 1])),
        (tf.uint64, [2**64 - 1], np.array([2**64 - 1], np.uint64)),
        (tf.bool, [True, False], np.array([True, False])),
        (tf.int32, [], np.zeros([0], np.int32)),
        (tf.int32, [[], []], np.zeros([2, 0], np.int32)),
        (tf.float32, 7, np.float32(7)),
    ],
)
def test_tensors_of_other_types(dtype, value, expected):
    array = read({"inputs": value}, specs(x=dtype))[0]["x"]
    assert array.dtype == expected.dtype
    np.testing.assert_array_equal(array, expected)


def test_numbers_that_json_has_no_word_for():
    array = read(b'{"inputs": [NaN, Infinity, -Infinity]}', specs(x=tf.float32))[0]["x"]
    np.testing.assert_array_equal(array, [np.nan, np.inf, -np.inf])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "JSON Parse error: The document is empty"),
        (b" \n", "JSON Parse error: The document is empty. at offset: 2"),
        (b"[]", "JSON Value: [] Is not object"),
        (b"nope", "JSON Parse error: Invalid value. at offset: 0"),
        (b'{"instances": ["a"]} x', "must not be followed by other values. at offset: 21"),
        (b'{"instances": ["a"', "JSON Parse error: Missing a comma or the end"),
        (b'{"instances": ["a', "JSON Parse error: Missing a closing quotation mark in string."),
        (b'{"a" 1}', "Missing a colon after a name of object member. at offset: 5"),
        (b"{1: 2}", "Missing a name for object member. at offset: 1"),
        ('{"ü" 1}'.encode(), "Missing a colon after a name of object member. at offset: 6"),
        (b'{"instances": ["\\x"]}', "Invalid escape character in string."),
        (b'{"instances": ["\\u12g4"]}', "Incorrect hex digit after \\u escape in string."),
        (b'{"instances": ["\x00"]}', "Invalid encoding in string. at offset: 16"),
        (b'{"instances": 1e999}', "Number too big to be stored in double."),
        (b'{"instances": ' + b"1" * 5000 + b"}", "Number too big to be stored in double."),
        (b'{"instances": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b'{"a": ' + b'{"a":' * 100_000, "nested too deeply"),
        (b'{"signature_name": 1, "instances": ["a"]}', "'signature_name' key must be a string"),
        (b"{}", "Missing 'inputs' or 'instances' key"),
        (b'{"instances": {}}', "Excepting 'instances' to be an list/array"),
        (b'{"instances": []}', "No values in 'instances' array"),
        (b'{"instances": [1], "inputs": [1]}', "expecting only one of 'inputs' or 'instances'"),
        (
            b'{"instances": [1]}',
            "Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: "
            "JSON Value: 1 Type: Number is not of expected type: string",
        ),
        (b'{"instances": ["a", null]}', "JSON Value: null Type: Null is not of expected type"),
        (b'{"instances": ["a", true]}', "JSON Value: true Type: True is not of expected type"),
        (b'{"instances": ["a", ["b"]]}', "Expecting shape [] but got: [1]"),
        (b'{"instances": ["a", ["b", "c"]]}', "Expecting tensor size: 1 but got: 2"),
        (b'{"instances": [["a", ["b"]]]}', "Encountered list at unexpected level: 1 expected < 1"),
        (b'{"instances": [[["a"], "b"]]}', "found at incorrect level: 2 in the JSON DOM."),
        (
            b'{"instances": [[["a"], ["b", "c"]]]}',
            "unexpected size: 2 at level: 1 expected size: 1",
        ),
        (b'{"instances": [{"text": "a"}, "b"]}', "Expecting object but got list at item 1"),
        (b'{"instances": ["b", {"text": "a"}]}', "Expecting value/list but got object at item 1"),
        (b'{"instances": [{"b64": "!"}]}', "Error: INVALID_ARGUMENT: Unable to base64 decode"),
        (b'{"instances": [{"b64": "a"}]}', "Error: INVALID_ARGUMENT: Unable to base64 decode"),
        (b'{"instances": [{"b64": "\xc3\xa4"}]}', "Unable to base64 decode"),
        (b'{"instances": [[{"b64": 1}]]}', "not formatted correctly for base64 data"),
        (b'{"instances": [{"what": "a"}]}', "key: what of 'instances' list. Error: "),
        (b'{"instances": [{}]}', "must only have keys: text"),
        (b'{"instances": [{"text": "a", "text": "b"}]}', "must only have keys: text"),
        (b'{"inputs": {"what": ["a"]}}', "Missing named input: text in 'inputs' object."),
        (b'{"inputs": ' + b"[" * 60 + b"]" * 60 + b"}", "a list of more than 32 dimensions"),
    ],
)
def test_what_is_refused(body, message):
    def whole():
        document = parse_json(body)
        signature_name(document)
        predict_inputs(document, ONE)

    with pytest.raises(ServingError) as caught:
        whole()
    assert message in str(caught.value)
    assert caught.value.http_status == 400
    assert len(str(caught.value)) < 1500


def test_two_inputs_take_objects():
    assert "instances is a plain list" in refused({"instances": ["a"]}, TWO)
    assert "inputs is a plain value/list" in refused({"inputs": ["a"]}, TWO)
    assert "only have keys: text_a,text_b" in refused({"instances": [{"text_a": "a"}]}, TWO)


@pytest.mark.parametrize(
    ("dtype", "value", "message"),
    [
        (tf.int32, 1.0, "JSON Value: 1.0 Type: Number is not of expected type: int32"),
        (tf.int32, 2**31, "is not of expected type: int32"),
        (tf.uint8, 256, "is not of expected type: uint8"),
        (tf.uint8, -1, "is not of expected type: uint8"),
        (tf.int32, True, "JSON Value: true Type: True is not of expected type: int32"),
        (tf.float32, "1", 'JSON Value: "1" Type: String is not of expected type: float'),
        (tf.float32, {"b64": "AA=="}, "Type: Object is not of expected type: float"),
        (tf.float32, 2**24, "Cannot convert JSON value: 16777216 to float without loss"),
        (tf.float32, 1e39, "to float without loss of precision."),
        (tf.float64, 2**53, "to double without loss of precision."),
        (tf.float64, 10**400, "Number too big to be stored in double."),
        (tf.bool, 1, "is not of expected type: bool"),
    ],
)
def test_leaves_that_are_refused(dtype, value, message):
    assert message in refused({"inputs": [value]}, specs(x=dtype))


def test_types_that_json_cannot_give():
    with pytest.raises(ServingError, match="Conversion of JSON Value: 1 to type: half") as caught:
        read({"inputs": [1]}, specs(x=tf.float16))
    assert caught.value.http_status == 501


def test_of_repeated_keys_the_first_counts():
    arrays, _ = read(b'{"instances": ["a"], "instances": ["b"]}')
    assert arrays["text"].tolist() == [b"a"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-300, 300) | st.floats(-1e3, 1e3) | st.text(max_size=3),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.sampled_from(["x", "b64", "y"]), children, max_size=2)
    ),
    max_leaves=8,
)


@settings(max_examples=300)
@given(VALUES, st.sampled_from([tf.string, tf.float32, tf.int32, tf.uint8, tf.bool]))
def test_the_fast_way_and_the_careful_way_agree(value, dtype):
    fast = json_tensors._regular(value, dtype)
    try:
        shape = json_tensors._shape_of(value)
        leaves = json_tensors._walk(value, 0, shape, dtype)
    except ServingError:
        assert fast is None
    else:
        careful = json_tensors._array(leaves, dtype).reshape(shape)
        if fast is not None:
            assert fast.shape == careful.shape
            np.testing.assert_array_equal(fast, careful)
