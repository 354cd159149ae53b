"""TFRecord files, read without TensorFlow."""

import struct

from tf_bertembed.common import FileFormatError

# CRC-32C (Castagnoli), reflected, as RFC 3720 gives it.
POLYNOMIAL = 0x82F63B78
# tensorflow/core/lib/hash/crc32c.h: a sum is stored rotated and shifted by this.
MASK = 0xA282EAD8


def _table():
    entries = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (POLYNOMIAL if value & 1 else 0)
        entries.append(value)
    return tuple(entries)


TABLE = _table()


def masked_crc(data):
    """The checksum that a TFRecord file stores beside some bytes.

    Args:
        data: bytes.

    Returns:
        An int of 32 bits.
    """
    crc, table = 0xFFFFFFFF, TABLE
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + MASK) & 0xFFFFFFFF


def read_records(path):
    """Read an uncompressed TFRecord file.

    A record is its length (8 bytes), the checksum of these, its content, and
    the checksum of that (4 bytes each), little-endian.

    Args:
        path: `pathlib.Path`. The file.

    Yields:
        The content of each record, as bytes.

    Raises:
        FileFormatError: where the file ends within a record, or a checksum is
            not that of what it stands beside.
    """
    with path.open("rb") as file:
        number = 0
        while header := file.read(12):
            number += 1
            if len(header) < 12:
                raise FileFormatError(path, f"The file ends within record {number}.")
            size, stored = struct.unpack("<QI", header)
            if stored != masked_crc(header[:8]):
                raise FileFormatError(
                    path, f"Record {number} is damaged: its length does not fit its checksum."
                )
            data, checksum = file.read(size), file.read(4)
            if len(data) < size or len(checksum) < 4:
                raise FileFormatError(path, f"The file ends within record {number}.")
            if struct.unpack("<I", checksum)[0] != masked_crc(data):
                raise FileFormatError(
                    path, f"Record {number} is damaged: its content does not fit its checksum."
                )
            yield data
