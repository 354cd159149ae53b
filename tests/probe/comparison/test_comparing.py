"""The comparison end to end, on review snippets and a model of the tests."""

import csv
import json

import numpy as np
import pytest
from gensim.test.utils import datapath
from sklearn.feature_extraction.text import TfidfVectorizer

from tf_bertembed import probe
from tf_bertembed.common import BertEmbedError, OutputExistsError
from tf_bertembed.probe import ProbeClassifier
from tf_bertembed.probe.comparison.features import SPARSE_C
from tf_bertembed.probe.comparison.findings import lead, readable, sentences
from tf_bertembed.probe.comparison.labelled_data import read_data
from tf_bertembed.probe.comparison.word_counts import WORDS

METHODS = ["TF-IDF", "word vectors", "word vectors (SIF)", "BERT", "BERT + word vectors"]


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    """A third of the snippets to learn from, as many to judge by."""
    folder = tmp_path_factory.mktemp("reviews")
    with open(datapath("pang_lee_polarity.cor"), encoding="cp1252") as file:
        rows = [line.rstrip().split(maxsplit=1) for line in file]
    for name, part in (("train", rows[::3]), ("test", rows[1::3])):
        lines = ["label\ttext", *("\t".join(row) for row in part)]
        (folder / f"{name}.tsv").write_text("\n".join(lines), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def report(reviews, glove, preset):
    return probe.compare(
        reviews / "train.tsv",
        reviews / "compared",
        test=reviews / "test.tsv",
        vectors=glove,
        backbone=preset,
        runs=[preset],
        layers=True,
        budgets=[5, "all"],
        draws=2,
    )


def test_what_it_tells(report, reviews, preset):
    assert [one["name"] for one in report["methods"]] == [*METHODS, f"RUN {preset.name}"]
    few, whole = report["budgets"]
    assert (few["budget"], few["labelled_rows"], few["probes"]) == (5, 10, 2)
    assert (whole["budget"], whole["labelled_rows"], whole["probes"]) == ("all", 67, 1)
    for budget in (few, whole):
        for metric in ("accuracy", "macro_f1"):
            for found in budget["metrics"][metric]["scores"].values():
                low, high = found["interval"]
                assert 0 <= low <= found["score"] <= high <= 1
            assert len(budget["metrics"][metric]["differences"]) == 15
    # The RUN is the backbone itself here.
    assert lead(whole["metrics"]["accuracy"], "BERT", f"RUN {preset.name}") == (0, [0, 0])
    assert list(report["layers"]["metrics"]["accuracy"]["scores"]) == ["embeddings", "layer 1"]
    assert report["verdict"][0].startswith("With all 67 labels, ")
    assert report["verdict"][1].startswith("With 5 labels a class, ")
    assert report["labels"] == sorted(report["labels"])


def test_a_score_is_that_of_the_probe_by_hand(report, reviews):
    from tf_bertembed import text

    (texts, labels), (held, truth) = (
        text.read_labelled(reviews / f"{name}.tsv") for name in ("train", "test")
    )
    vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=2, **WORDS).fit(texts)
    classifier = ProbeClassifier(None, C=SPARSE_C, scale=False, random_state=0)
    whole = report["budgets"][1]
    chosen = whole["chosen_C"]["TF-IDF"][0]
    assert chosen in SPARSE_C
    classifier.set_params(C=chosen).fit(vectorizer.transform(texts), labels)
    score = whole["metrics"]["accuracy"]["scores"]["TF-IDF"]["score"]
    assert classifier.score(vectorizer.transform(held), truth) == pytest.approx(score, abs=1e-6)


def test_what_it_writes(report, reviews):
    folder = reviews / "compared"
    assert sorted(path.name for path in folder.iterdir()) == [
        *("comparison.png", "layers.png", "results.json", "table.csv")
    ]
    assert json.loads((folder / "results.json").read_text(encoding="utf-8")) == report
    with (folder / "table.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    assert {row["method"] for row in rows} == {one["name"] for one in report["methods"]}
    for budget in ("5", "all"):
        part = [row for row in rows if row["budget"] == budget]
        best = max(part, key=lambda row: float(row["accuracy"]))
        for row in part:
            behind = float(row["accuracy"]) - float(best["accuracy"])
            assert float(row["to_best"]) == pytest.approx(behind, abs=2e-6)
    assert (folder / "comparison.png").read_bytes().startswith(b"\x89PNG")
    lines = readable(report)
    assert lines[0].split()[:4] == ["accuracy", "5", "a", "class"]
    assert report["verdict"][0] in lines


def test_a_second_run_finds_the_vectors(report, reviews, glove, preset, monkeypatch):
    """Nothing is encoded again, and the same seed gives the same figures."""
    from tf_bertembed.probe import encoders

    def fail(*args, **kwargs):
        raise AssertionError("the model was loaded")

    monkeypatch.setattr(encoders, "load_encoder", fail)
    again = probe.compare(
        reviews / "train.tsv",
        # As a shell completes the name of a folder.
        f"{reviews}/again/",
        test=reviews / "test.tsv",
        vectors=glove,
        backbone=preset,
        budgets=[5],
        draws=2,
        cache=reviews / "compared-cache",
    )
    expected = report["budgets"][0]["metrics"]["accuracy"]["scores"]
    for name, found in again["budgets"][0]["metrics"]["accuracy"]["scores"].items():
        assert found["score"] == expected[name]["score"]


@pytest.mark.slow
def test_folds_and_pairs(reviews, glove, preset, tmp_path):
    with open(reviews / "train.tsv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    with open(tmp_path / "pairs.jsonl", "w", encoding="utf-8") as file:
        for first, second in zip(rows[::2], rows[1::2], strict=False):
            same = "same" if first["label"] == second["label"] else "other"
            pair = {"text_a": first["text"], "text_b": second["text"], "label": same}
            file.write(json.dumps(pair) + "\n")
            file.write(json.dumps({**pair, "text_b": first["text"], "label": "twice"}) + "\n")
    labelled = [json.loads(line)["label"] for line in (tmp_path / "pairs.jsonl").open()]
    report = probe.compare(
        tmp_path / "pairs.jsonl",
        tmp_path / "compared",
        vectors=glove,
        backbone=preset,
        budgets=["all"],
        folds=2,
        repeats=2,
    )
    assert (report["pairs"], report["labels"]) == (True, sorted(set(labelled)))
    (whole,) = report["budgets"]
    assert whole["probes"] == 4
    scores = whole["metrics"]["accuracy"]["scores"]
    # Two texts that are one are told from two others by |u - v|, not by counts of words alone.
    assert scores["word vectors"]["score"] > 0.4
    # No score outside of what there is, and no difference surer than 3 of the rows judged.
    for each in scores.values():
        assert 0 <= each["interval"][0] <= each["score"] <= each["interval"][1] <= 1
    for pair in whole["metrics"]["accuracy"]["differences"]:
        low, high = pair["interval"]
        assert high - low > 2 * 3 / len(labelled) or not pair["difference"]
    assert report["judged_by"] == "2 stratified folds, 2 times"
    assert not report["notes"]


def metrics(scores, joint):
    names = list(scores)
    estimates = {
        "scores": {name: {"score": score, "interval": [0, 1]} for name, score in scores.items()},
        "differences": [
            {
                "of": first,
                "less": second,
                "difference": scores[first] - scores[second],
                "interval": [0, 0],
                "joint_interval": joint[first, second],
            }
            for place, first in enumerate(names)
            for second in names[:place]
        ],
    }
    return {"accuracy": estimates, "macro_f1": estimates}


def test_the_sentences():
    joint = {
        ("BERT", "TF-IDF"): [0.05, 0.15],
        ("BERT + word vectors", "TF-IDF"): [0.06, 0.16],
        ("BERT + word vectors", "BERT"): [-0.01, 0.03],
    }
    scores = {"TF-IDF": 0.8, "BERT": 0.9, "BERT + word vectors": 0.91}
    budget = {"budget": "all", "labelled_rows": 500, "metrics": metrics(scores, joint)}
    assert sentences(budget) == (
        "With all 500 labels, BERT + word vectors is best: accuracy 0.910. It is better by more "
        "than noise than TF-IDF (+0.110, from +0.060 to +0.160). Its lead over BERT (+0.010, from "
        "-0.010 to +0.030) may be noise. What word vectors add to BERT (+0.010, from -0.010 to "
        "+0.030) may be noise."
    )
    scores = {"TF-IDF": 0.95, "BERT": 0.9, "BERT + word vectors": 0.8}
    joint = {
        ("BERT", "TF-IDF"): [-0.09, -0.01],
        ("BERT + word vectors", "TF-IDF"): [-0.2, -0.1],
        ("BERT + word vectors", "BERT"): [-0.15, -0.05],
    }
    budget = {"budget": 10, "labelled_rows": 20, "metrics": metrics(scores, joint)}
    told = sentences(budget)
    assert told.startswith("With 10 labels a class, TF-IDF is best: accuracy 0.950.")
    assert "than BERT (+0.050, from +0.010 to +0.090) and BERT + word vectors (+0.150" in told
    assert told.endswith("add to BERT (-0.100, from -0.150 to -0.050) is more than noise.")
    assert "may be noise" not in told
    alike = metrics({"TF-IDF": 0.5, "BERT": 0.5}, {("BERT", "TF-IDF"): [0.0, 0.0]})
    told = sentences({"budget": 10, "labelled_rows": 20, "metrics": alike})
    assert told.endswith("Its lead over BERT (+0.000, from +0.000 to +0.000) may be noise.")


def test_what_is_refused_at_once(reviews, glove, preset, tmp_path):
    train = reviews / "train.tsv"
    (tmp_path / "there").mkdir()
    with pytest.raises(OutputExistsError):
        probe.compare(train, tmp_path / "there", vectors=glove, backbone=preset)
    for arguments, message in (
        ({"budgets": ["1"]}, "2 or more, or 'all'"),
        ({"draws": 0}, "`draws` must be an int of at least 1"),
        ({"folds": 60}, "rows or more for 60 folds"),
        ({"runs": [preset, tmp_path / "none"]}, "none does not exist"),
    ):
        with pytest.raises(BertEmbedError, match=message):
            probe.compare(train, tmp_path / "new", **arguments)
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_what_is_read_is_never_replaced(reviews, glove, preset):
    train = reviews / "train.tsv"
    for output in (reviews, preset, preset.parent):
        with pytest.raises(BertEmbedError, match="is, or holds, what is to be read"):
            probe.compare(train, output, vectors=glove, backbone=preset, overwrite=True)
    assert train.exists()
    assert (preset / "config.json").exists()


def test_an_exported_model_shows_no_layers(reviews, glove, saved_model, tmp_path):
    with pytest.raises(BertEmbedError, match=r"`layers` needs a RUN or a checkpoint"):
        probe.compare(
            reviews / "train.tsv",
            tmp_path / "new",
            vectors=glove,
            backbone=saved_model.parent,
            layers=True,
        )
    # Told before anything is computed.
    assert not list(tmp_path.iterdir())


def test_texts_that_folds_may_share(tmp_path):
    (tmp_path / "train.tsv").write_text("text\tlabel\na\tx\nb\ty\na\tx\na\ty\n")
    (tmp_path / "test.tsv").write_text("text\tlabel\nb\tx\nb\ty\nc\ty\n")
    assert read_data(tmp_path / "train.tsv").repeated == 2
    assert read_data(tmp_path / "train.tsv", tmp_path / "test.tsv").repeated == 2


@pytest.mark.slow
def test_trec(development_data, tmp_path):
    """Question types: BERT tells them better than words do, and by more than noise."""
    report = probe.compare(
        development_data / "trec" / "train.tsv",
        tmp_path / "trec",
        test=development_data / "trec" / "test.tsv",
        budgets=[30],
        draws=3,
    )
    (budget,) = report["budgets"]
    print("\n".join(readable(report)))
    for words in ("TF-IDF", "word vectors"):
        _, interval = lead(budget["metrics"]["accuracy"], "BERT", words)
        assert np.min(interval) > 0
