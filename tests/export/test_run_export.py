"""RUNs of each kind, with examples out of their data files."""

import json

import pytest

from tf_bertembed import export, tasks, text
from tf_bertembed.export.records import RECORD
from tf_bertembed.export.run_export import _filled, _rows
from tf_bertembed.training import recipes

SQUAD = {
    "data": [
        {
            "paragraphs": [
                {"context": "Ada wrote.", "qas": [{"id": "1", "question": "Who?", "answers": []}]}
            ]
        }
    ]
}
CONLL = "Ada\tB-PER\nwrote\tO\n\n我\tO\n"


@pytest.mark.parametrize(
    ("name", "written", "expected"),
    [
        ("data.json", json.dumps(SQUAD), [("Who?", "Ada wrote.")]),
        ("data.conll", CONLL, [("Ada wrote",), ("我",)]),
        ("data.tsv", "text_a\ttext_b\tscore\nAda\twrote\t1\n", [("Ada",)]),
        ("data.txt", "Ada wrote.\n我住\n", [("Ada wrote.",), ("我住",)]),
    ],
)
def test_rows_of_data_files(make_parts, tmp_path, name, written, expected):
    kind = {"data.json": "qa", "data.conll": "tagging"}.get(name, "similarity")
    task = {
        "qa": lambda: tasks.QuestionAnswerer(*make_parts(text.QuestionPreprocessor)),
        "tagging": lambda: _tagger(make_parts),
        "similarity": lambda: tasks.SentenceEncoder(*make_parts()),
    }[kind]()
    (tmp_path / name).write_text(written, encoding="utf-8")
    assert _rows(recipes.make_recipe(kind), task, tmp_path / name) == expected


def _tagger(make_parts):
    backbone, preprocessor = make_parts(text.TaggingPreprocessor)
    return tasks.TokenClassifier(backbone, ["O", "B-PER"], preprocessor)


@pytest.mark.parametrize(
    ("written", "told"),
    [({"details": {}}, None), ({"f1": 0.5, "details": {}}, {"f1": 0.5}), ({"f1": 0}, {"f1": 0})],
)
def test_groups_of_metrics_that_hold_none_are_left_out(written, told):
    assert _filled(written) == told


@pytest.mark.slow
def test_a_tagger_is_exported_from_its_run(make_parts, tmp_path):
    task = _tagger(make_parts)
    task.save_to_preset(tmp_path / "run")
    (tmp_path / "data.conll").write_text(CONLL, encoding="utf-8")
    path = export.export_run(tmp_path / "run", tmp_path / "out", examples=tmp_path / "data.conll")
    record = json.loads((path / RECORD).read_text(encoding="utf-8"))
    assert record["inputs"] == {"text": ["Ada wrote", "我"]}
    report = export.verify(path)
    assert report.ok, str(report)
    assert export.read_metadata(path)["metrics"] is None
