"""TFRecord files that TensorFlow wrote, read without it."""

import pytest
import tensorflow as tf

from tf_bertembed.common import FileFormatError
from tf_bertembed.export.tf_records import masked_crc, read_records

RECORDS = [b"", b"a", "Café 我住 🙂".encode(), bytes(range(256)) * 20]


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "records"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in RECORDS:
            writer.write(record)
    return path


def test_records_come_back(written):
    assert list(read_records(written)) == RECORDS


def test_an_empty_file_has_none(tmp_path):
    (tmp_path / "empty").touch()
    assert list(read_records(tmp_path / "empty")) == []


def test_the_checksum_of_the_standard():
    # RFC 3720, B.4: 32 bytes of zeros have CRC-32C 8a9136aa; masked as crc32c.h does.
    crc = 0x8A9136AA
    assert masked_crc(bytes(32)) == ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        (slice(None, 5), r"ends within record 1"),
        (slice(None, 14), r"ends within record 1"),
        (slice(None, -1), r"ends within record 4"),
        (slice(None, -30), r"ends within record 4"),
    ],
)
def test_a_file_that_was_cut(written, cut, message):
    written.write_bytes(written.read_bytes()[cut])
    with pytest.raises(FileFormatError, match=message):
        list(read_records(written))


@pytest.mark.parametrize(
    ("place", "message"),
    [(0, "Record 1 is damaged: its length"), (-10, "Record 4 is damaged: its content")],
)
def test_a_byte_that_changed(written, place, message):
    content = bytearray(written.read_bytes())
    content[place] ^= 1
    written.write_bytes(bytes(content))
    with pytest.raises(FileFormatError, match=message):
        list(read_records(written))
