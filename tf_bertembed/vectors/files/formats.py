"""Which format a source of word vectors has: told by its content, never by its name."""

import gzip
import re
import struct
import zlib
from pathlib import Path

from tf_bertembed import common
from tf_bertembed.vectors.files.named import NAMED

FORMATS = {
    "glove": "GloVe text",
    "word2vec": "word2vec text (fastText's .vec is the same)",
    "word2vec-binary": "word2vec binary",
    "fasttext-binary": "fastText binary",
    "folder": "folder of vectors.npy and words.txt",
    "safetensors": "safetensors",
    "gensim": "gensim's own, a pickle",
    "name": "from a Python package",
}
PURPOSE = f"Give a file or folder of word vectors, or a name: {', '.join(map(repr, NAMED))}."

VECTORS = "vectors.npy"
# model2vec's folder.
MODEL = "model.safetensors"

HEAD_BYTES = 1 << 16
NUMBER = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
# What is not finite takes a number's place too, and is refused when it is read.
NOT_FINITE = {b"nan", b"-nan", b"inf", b"-inf", b"+inf", b"infinity", b"-infinity"}
NUMBER_BYTES = b"0123456789+-.eE \r\n"
HEADER = re.compile(rb"[ \t]*(\d{1,18})[ \t]+(\d{1,18})[ \t]*\r?\n")
CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\r\f\v\x1b")

FASTTEXT_MAGIC = struct.pack("<i", 793712314)
NUMPY_MAGIC = b"\x93NUMPY"
OLD_FASTTEXT = struct.Struct("<12id")

# What stands under the name of word vectors when a download went wrong or was not unpacked.
STRANGERS = (
    (re.compile(rb"PK\x03\x04"), "This is a zip archive. Unpack it and give a file inside it."),
    (re.compile(rb"BZh[1-9]"), "This is packed with bzip2. Unpack it first; gzip is read as is."),
    (re.compile(rb"\xfd7zXZ\x00"), "This is packed with xz. Unpack it first; gzip is read as is."),
    (
        re.compile(rb"\s*<(!doctype|html|head|\?xml)", re.IGNORECASE),
        "This is an HTML page, not word vectors; the download may have given an error page.",
    ),
    (
        re.compile(rb"version https://git-lfs"),
        "This is a pointer of Git LFS, not the word vectors. Run: git lfs pull",
    ),
    (
        re.compile(re.escape(NUMPY_MAGIC)),
        "This is a NumPy array without words. Put it into a folder as vectors.npy, beside a "
        "words.txt with a word for each row, and give the folder.",
    ),
    (re.compile(rb"\x89HDF\r\n"), "This is an HDF5 file, which is no format of word vectors."),
)


def detect_format(path_or_name):
    """Find out the format of a source of word vectors.

    Args:
        path_or_name: string or `pathlib.Path`. A file, a folder or a name.

    Returns:
        A string, a key of `FORMATS`.

    Raises:
        MissingFileError: where there is nothing.
        FileFormatError: where the content is that of none of the formats.
    """
    if path_or_name in NAMED:
        return "name"
    path = Path(path_or_name)
    if path.is_dir():
        is_model = (path / MODEL).is_file() and not (path / VECTORS).exists()
        return "safetensors" if is_model else "folder"
    common.require_file(path, PURPOSE)
    head = read_head(path)
    for pattern, problem in STRANGERS:
        if pattern.match(head):
            raise common.FileFormatError(path, problem)
    if _is_safetensors(head):
        return "safetensors"
    # Protocols 2 to 5; older ones have no mark, and gensim never wrote them.
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "gensim"
    if head.startswith(FASTTEXT_MAGIC) or _is_old_fasttext(head):
        return "fasttext-binary"
    header = HEADER.match(head)
    if header is None:
        return "glove"
    return "word2vec" if _is_text(head[header.end() :], int(header[2])) else "word2vec-binary"


def read_head(path):
    """The first bytes of a file, unpacked where it is gzip."""
    with common.open_bytes(path) as file:
        try:
            return file.read(HEAD_BYTES)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            # Where it breaks off so early, what can still be unpacked must do.
            file.seek(0)
            return _first_bytes(file)


def _first_bytes(file):
    found = b""
    try:
        while len(found) < HEAD_BYTES and (byte := file.read(1)):
            found += byte
    except (EOFError, zlib.error, gzip.BadGzipFile):
        pass
    return found


def numbers_at_end(line):
    """Count the numbers at the end of a line, without its first field."""
    fields = line.rstrip(b"\r ").split(b" ")
    count = 0
    while count < len(fields) - 1 and (
        NUMBER.fullmatch(fields[-1 - count]) or fields[-1 - count].lower() in NOT_FINITE
    ):
        count += 1
    return count


def shown(line):
    """The beginning of a line, as a message shows it."""
    return repr(line[:60].decode("utf-8", "replace") + ("…" if len(line) > 60 else ""))


def _is_safetensors(head):
    if len(head) < 9 or head[8:9] != b"{":
        return False
    # The limit that the format itself sets to its header.
    return int.from_bytes(head[:8], "little") <= 100_000_000


def _is_old_fasttext(head):
    """Whether the head is that of fastText before its files had a mark."""
    if len(head) < OLD_FASTTEXT.size:
        return False
    dim, window, epochs, *_, loss, model, bucket, shortest, longest, _, _ = OLD_FASTTEXT.unpack(
        head[: OLD_FASTTEXT.size]
    )
    return (
        0 < dim < 1 << 16
        and 0 <= window < 1 << 16
        and 0 < epochs < 1 << 16
        and loss in (1, 2, 3)
        and model in (1, 2, 3)
        and bucket >= 0
        and 0 <= shortest <= 64
        and 0 <= longest <= 64
    )


def _is_text(rows, width):
    first = rows.partition(b"\n")[0]
    if not rows or numbers_at_end(first) == width > 0:
        return True
    if 2 * len(rows.translate(None, NUMBER_BYTES)) < len(rows):
        return True
    if rows.translate(None, CONTROLS) != rows:
        return False
    try:
        rows.decode("utf-8")
    except UnicodeDecodeError as error:
        # The head may end within a character.
        return error.start >= len(rows) - 3
    return True
