"""Files that are read with their line numbers."""

import gzip

import pytest

from tf_bertembed import common


@pytest.fixture
def write(tmp_path):
    def write(content, name="file.txt"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"a\nb", ["a", "b"]),
        (b"a\nb\n", ["a", "b"]),
        (b"a\r\n\r\nb\r\n", ["a", "", "b"]),
        (b"\n", [""]),
        (b"\xef\xbb\xbfa\n", ["a"]),
        ("a\u2028b\x85c\x0bd\n".encode(), ["a\u2028b\x85c\x0bd"]),
        ("我住\n🙂".encode(), ["我住", "🙂"]),
    ],
)
def test_read_lines(write, content, lines):
    assert list(common.read_lines(write(content))) == list(enumerate(lines, start=1))
    packed = write(gzip.compress(content), "file.gz")
    assert list(common.read_lines(packed)) == list(enumerate(lines, start=1))


@pytest.mark.parametrize("size", range(1, 12))
def test_read_blocks_keep_lines_whole(write, size):
    content = b"one\n\ntwo three\nfour"
    blocks = list(common.read_blocks(write(content), block_bytes=size))
    assert b"".join(block for _, block in blocks) == content
    before = b""
    for number, block in blocks:
        assert number == before.count(b"\n") + 1
        before += block
        assert before.endswith(b"\n") or before == content


@pytest.mark.parametrize("read", [common.read_lines, common.read_blocks])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "file.txt: The file is empty."),
        (b"a\nb\x00\n", "file.txt, line 2: Text was expected, this is a binary file"),
        (gzip.compress(b"a b c d\n" * 99, mtime=0)[:-9], "file.txt: The gzip data is broken"),
        (gzip.compress(b"abc", mtime=0)[:-8] + b"12345678", "file.txt: The gzip data is broken"),
        (
            gzip.compress(b"abc" * 99, mtime=0)[:10] + b"\xff" * 20,
            "file.txt: The gzip data is broken",
        ),
    ],
)
def test_content_that_is_not_text(write, read, content, message):
    path = write(content)
    with pytest.raises(common.FileFormatError) as error:
        list(read(path))
    assert str(error.value).startswith(str(path.parent / message))


def test_read_lines_names_the_line_that_is_not_utf8(write):
    path = write("fine\ncafé\n".encode("latin-1"))
    with pytest.raises(common.FileFormatError, match=r"line 2: UTF-8 .* byte 0xe9 at column 4"):
        list(common.read_lines(path))


def test_require_file(tmp_path):
    with pytest.raises(common.MissingFileError, match=r"nowhere does not exist\. Say where\."):
        common.require_file(tmp_path / "nowhere", "Say where.")
    with pytest.raises(common.FileFormatError, match="this is a folder"):
        common.require_file(tmp_path)
