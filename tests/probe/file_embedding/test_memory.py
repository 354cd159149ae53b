"""Memory does not grow with the number of rows."""

import json
import subprocess
import sys

import pandas
import pytest

from tf_bertembed import probe

CODE = """
import resource, sys
from tf_bertembed import probe
from tf_bertembed.probe.file_embedding import embedding, tables
embedding.WINDOW = tables.WINDOW = 1000
model, path, output, cache = sys.argv[1:]
probe.embed_file(model, path, output, cache=cache, id_column="id")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "output"),
    [("in.jsonl", "v.npy"), ("in.csv", "v.arrow"), ("in.parquet", "v.parquet")],
)
def test_ten_times_the_rows_take_as_much_memory(source, output, preset, texts, tmp_path):
    model, cache = str(preset), str(tmp_path / "cache")
    (tmp_path / "few.txt").write_text("\n".join(texts), encoding="utf-8")
    # So that no process loads TensorFlow, beside which nothing would be seen.
    probe.embed_file(model, tmp_path / "few.txt", tmp_path / "few.npy", cache=cache)
    peaks = []
    for rows in (20_000, 200_000):
        folder = tmp_path / str(rows)
        folder.mkdir()
        frame = pandas.DataFrame({"text": texts}).sample(rows, replace=True, random_state=0)
        frame["id"] = [f"an id of row {row}" for row in range(rows)]
        _write(frame, folder / source)
        command = [sys.executable, "-c", CODE, model, folder / source, folder / output, cache]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        peaks.append(int(done.stdout))
    # The texts and ids alone would be 40 MB, as Python's strings twice that.
    assert peaks[1] < peaks[0] + 12, peaks


def _write(frame, path):
    if path.suffix == ".parquet":
        frame.to_parquet(path, index=False, row_group_size=len(frame))
    elif path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        path.write_text("\n".join(map(json.dumps, frame.to_dict("records"))), encoding="utf-8")
