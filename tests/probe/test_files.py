import gzip

import numpy as np
import pytest

from tf_bertembed import probe
from tf_bertembed.common import (
    BertEmbedError,
    FileFormatError,
    MissingFileError,
    OutputExistsError,
)


def near(got, expected):
    return np.abs(got - expected).max() / np.abs(expected).max() <= 1e-5


@pytest.mark.parametrize("kind", ["preset", "saved_model"])
def test_a_row_a_line(kind, request, texts, expected, tmp_path):
    path = tmp_path / "texts.gz"
    path.write_bytes(gzip.compress("\n".join([*texts, "", texts[0]]).encode()))
    model = request.getfixturevalue(kind)
    report = probe.embed_file(model, path, tmp_path / "v.npy", batch_size=5, max_pieces=64)
    vectors = np.load(tmp_path / "v.npy", allow_pickle=False)
    assert report == {"texts": 14, "dimensions": 8, "output": str(tmp_path / "v.npy")}
    assert vectors.dtype == "float32"
    assert near(vectors[:12], expected)
    assert near(vectors[13], expected[0])


@pytest.mark.parametrize(
    ("content", "output", "error", "message"),
    [
        (b"a\n", "v.parquet", BertEmbedError, r"must end in \.npy.*v\.parquet"),
        (b"a\n\xff\n", "v.npy", FileFormatError, r"texts\.txt, line 2"),
        (b"", "v.npy", FileFormatError, r"texts\.txt.*empty"),
        (b"a\n", "there.npy", OutputExistsError, r"there\.npy"),
        (None, "v.npy", MissingFileError, r"texts\.txt"),
    ],
)
def test_what_cannot_be_done_leaves_nothing(content, output, error, message, preset, tmp_path):
    (tmp_path / "there.npy").write_bytes(b"mine")
    if content is not None:
        (tmp_path / "texts.txt").write_bytes(content)
    before = {path.name for path in tmp_path.iterdir()}
    with pytest.raises(error, match=message):
        probe.embed_file(preset, tmp_path / "texts.txt", tmp_path / output)
    assert {path.name for path in tmp_path.iterdir()} == before
    assert (tmp_path / "there.npy").read_bytes() == b"mine"
