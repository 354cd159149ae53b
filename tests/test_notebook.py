"""The notebook runs from its first cell to its last."""

from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "quickstart.ipynb"


def _read():
    nbformat = pytest.importorskip("nbformat", reason="needs the extra `dev`")
    return nbformat.read(NOTEBOOK, as_version=4)


def test_it_is_stored_as_executed_from_top_to_bottom():
    cells = [cell for cell in _read().cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert not any(output.output_type == "error" for output in outputs)
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 3


@pytest.mark.slow
def test_it_runs(tmp_path):
    nbclient = pytest.importorskip("nbclient", reason="needs the extra `dev`")
    notebook = _read()
    client = nbclient.NotebookClient(
        notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    client.execute()
    said = "".join(output.get("text", "") for output in notebook.cells[-1].outputs)
    assert "\nready\n" in said
