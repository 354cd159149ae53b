"""Answers that are as wide as the longest text of their request."""

import numpy as np
import pytest

from tf_bertembed.serving import ServingError, padded_runs
from tf_bertembed.serving.joined_parts import filler_of


def test_wide_answers_are_computed_a_batch_at_a_time(loaded, batches, make_batcher, tools):
    texts = ["x" * (number * 7 % 11) for number in range(9)]
    inputs = {"text": tools.strings(*texts)}
    whole = loaded.compute("letters", inputs)["letters"]
    batches.clear()
    batcher = make_batcher(num_batch_threads=1, max_batch_size=4)
    batcher.start()
    answers = batcher.run(loaded, "letters", inputs)["letters"]
    assert answers.dtype == whole.dtype
    assert answers.tolist() == whole.tolist()
    assert max(map(len, batches)) <= 4
    # Those of like length run together.
    assert [max(map(len, batch)) for batch in batches[:3]] == [3, 9, 10]


def test_what_wide_answers_are_filled_up_with_is_learned(loaded, make_batcher, tools):
    texts = ["x" * (number * 7 % 11) for number in range(9)]
    inputs = {"text": tools.strings(*texts)}
    whole = loaded.compute("codes", inputs)
    loaded.fillers["codes"].clear()
    batcher = make_batcher(num_batch_threads=1, max_batch_size=2)
    batcher.start()
    answers = batcher.run(loaded, "codes", inputs)
    assert loaded.fillers["codes"] == {"codes": 0, "places": -1, "halves": 0}
    for name, array in whole.items():
        assert answers[name].dtype == array.dtype
        np.testing.assert_array_equal(answers[name], array)


def test_answers_that_are_no_rows_of_their_own_are_computed_as_a_whole(
    loaded, batches, make_batcher, tools
):
    inputs = {"text": tools.strings(*"abcab")}
    whole = loaded.compute("lonely", inputs)["among"]
    batcher = make_batcher(num_batch_threads=1, max_batch_size=2)
    batcher.start()
    answers = batcher.run(loaded, "lonely", inputs)["among"]
    assert answers.tolist() == whole.tolist()
    assert len(batches[-1]) == 5


@pytest.mark.parametrize(
    ("short", "filled", "filler"),
    [
        ([3, 4], [3, 4, 0, 0], 0),
        ([3, 4], [3, 4, -1], -1),
        ([], [-1, -1], -1),
        ([0.5], [0.5000001, 0.0], 0.0),
        # As wide, narrower, not filled with one value, another answer.
        ([3, 4], [3, 4], None),
        ([3, 4], [3], None),
        ([3, 4], [3, 4, 0, 1], None),
        ([3, 4], [3, 5, 0], None),
        ([0.5], [0.6, 0.0], None),
    ],
)
def test_what_fills_up_is_behind_the_same_answer(short, filled, filler):
    assert filler_of(np.array(short), np.array(filled)) == filler


def test_answers_that_would_not_fit_into_memory_are_refused(loaded, batches, make_batcher, tools):
    batcher = make_batcher()
    long = tools.strings("x" * 2**17, *["a"] * 200)
    with pytest.raises(ServingError) as raised:
        batcher.submit(loaded, "letters", {"text": long})
    assert raised.value.code == "INVALID_ARGUMENT"
    assert "201 rows x 131072 bytes = 26345472; this server takes at most 16777216" in str(
        raised.value
    )
    assert batches == []
    # Where an answer does not grow with its neighbours, nor does the memory.
    batcher.submit(loaded, "serving_default", {"text": long})


def test_a_request_that_nobody_waits_for_stops_between_its_parts(
    loaded, batches, make_batcher, tools
):
    batcher = make_batcher(num_batch_threads=1, max_batch_size=1)
    inputs = {"text": tools.strings(*"abcdef")}
    over = iter([False, False, True])
    compute = loaded.compute
    assert (
        padded_runs.run_in_parts(
            lambda part: compute("letters", part), inputs, 1, {}, lambda: next(over)
        )
        is None
    )
    assert len(batches) == 2
    batcher.start()
    assert batcher.run(loaded, "letters", inputs)["letters"].shape == (6, 1)
