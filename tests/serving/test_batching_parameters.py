"""`batching_parameters.txt`, as TensorFlow Serving reads it."""

import logging

import pytest

from tf_bertembed.common import BertEmbedError, FileFormatError
from tf_bertembed.serving.batching_parameters import BatchingParameters, read_batching_parameters


def test_the_file_of_tensorflow_serving(tmp_path, caplog):
    path = tmp_path / "batching_parameters.txt"
    # As in https://www.tensorflow.org/tfx/serving/serving_config.
    path.write_text(
        """
        max_batch_size { value: 128 }
        batch_timeout_micros { value: 0 }
        max_enqueued_batches { value: 1000000 }
        num_batch_threads { value: 8 }
        """
    )
    assert read_batching_parameters(path) == BatchingParameters(128, 0, 1000000, 8)
    path.write_text(
        "max_batch_size { value: 128 } max_execution_batch_size { value: 16 } "
        "enable_large_batch_splitting { value: true } allowed_batch_sizes: [4, 16] "
        'pad_variable_length_inputs: false thread_pool_name { value: "t" }'
    )
    with caplog.at_level(logging.WARNING, "tf_bertembed.serving"):
        parameters = read_batching_parameters(path)
    assert parameters == BatchingParameters(max_batch_size=16, most_rows=128)
    (warning,) = caplog.messages
    assert warning == "fields without effect in this server: thread_pool_name, allowed_batch_sizes"
    path.write_text("enable_large_batch_splitting { value: false }")
    with caplog.at_level(logging.WARNING, "tf_bertembed.serving"):
        assert read_batching_parameters(path) == BatchingParameters()
    assert caplog.messages[-1].endswith(": enable_large_batch_splitting: false")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("max_batch_size { value: 0 }", "`max_batch_size` must be at least 1. Received: 0."),
        ("batch_timeout_micros { value: -1 }", "`batch_timeout_micros` must be at least 0"),
        ("\nmax_batch: 3", "line 2: A BatchingParameters in protobuf's text format"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path, content, message):
    path = tmp_path / "batching_parameters.txt"
    path.write_text(content)
    with pytest.raises(FileFormatError, match=message):
        read_batching_parameters(path)
    with pytest.raises(BertEmbedError):
        BatchingParameters(num_batch_threads=0)
