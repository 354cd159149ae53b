"""The table of tasks: its rows, cells and scores."""

import dataclasses
from collections import Counter

import pytest


@pytest.fixture(scope="module")
def parts(import_scripts):
    with import_scripts(
        "side_by_side.plan", "side_by_side.data", "side_by_side.scores", "side_by_side.report"
    ) as scripts:
        yield dict(zip(("plan", "data", "scores", "report"), scripts, strict=True))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("data")
    (place / "sst2").mkdir()
    for part, count in (("train", 60), ("test", 9)):
        rows = [f"{part} film {n}\t{'good' if n % 3 else 'bad'}" for n in range(count)]
        (place / "sst2" / f"{part}.tsv").write_text("text\tlabel\n" + "\n".join(rows) + "\n")
    return place


def _cell(parts, **more):
    return parts["plan"].Cell(
        **{
            "data": "sst2",
            "weights": "cold",
            "per_class": 5,
            "side": parts["plan"].OURS,
            "form": "none",
            "seed": 1,
            **more,
        }
    )


def test_few_labels_are_as_many_of_each_and_the_same_for_every_form(parts, folder):
    cell = _cell(parts)
    rows = parts["data"].rows_of(cell, folder)
    assert Counter(label for _, label in rows["train"]) == {"good": 5, "bad": 5}
    assert len(rows["test"]) == 9
    assert rows["labels"] == ["bad", "good"]
    same = dataclasses.replace(cell, form="input gate", side=parts["plan"].THEIRS)
    assert parts["data"].rows_of(same, folder) == rows
    assert parts["data"].rows_of(dataclasses.replace(cell, seed=2), folder) != rows


def test_all_labels_are_one_draw_for_every_seed(parts, folder):
    every = [parts["data"].rows_of(_cell(parts, per_class=0, seed=seed), folder) for seed in (0, 1)]
    assert every[0] == every[1]
    assert len(every[0]["train"]) == 60


def test_few_rows_are_passed_over_more_often(parts):
    plan = parts["plan"]
    setting = _cell(parts).setting
    assert plan.epochs(setting, 20, 10) * 2 >= plan.FEW_STEPS
    assert plan.epochs(setting, 6920, 0) == setting.epochs


def test_every_form_is_an_argument_of_with_fusion(parts):
    import inspect

    from tf_bertembed import models

    known = {*inspect.signature(models.with_fusion).parameters, "head_factor"}
    assert all(set(form) <= known for form in parts["plan"].FORMS.values())


def test_scores_count_entities_and_words(parts):
    score = parts["scores"].score
    rows = [(["x", "y", "z"], ["B-A", "E-A", "O"]), (["u", "v", "w"], ["B-A", "M-A", "E-A"])]
    exact = [row[1] for row in rows]
    assert score("tagging", "f1", rows, exact) == 1
    assert score("tagging", "f1", rows, [exact[0], ["O", "O", "O"]]) == pytest.approx(2 / 3)
    assert score("tagging", "accuracy", rows, [exact[0], ["O", "M-A", "E-A"]]) == pytest.approx(
        5 / 6
    )
    pairs = [("a", "b", 0.1), ("c", "d", 0.5), ("e", "f", 0.9)]
    assert score("similarity", "spearman", pairs, [0.2, 0.3, 0.4]) == pytest.approx(1)


def test_the_gain_is_in_points_over_no_fusion(parts):
    cell = _cell(parts)
    fused = dataclasses.replace(cell, form="input gate")
    result = {"score": 0.7, "seconds": 10.0, "cpu_seconds": 9.0}
    results = {cell: result, fused: {**result, "score": 0.75}}
    rows = list(parts["report"].rows(results))
    assert [row["gain"] for row in rows] == ["", "+5.00"]


def test_our_mean_may_be_one_deviation_of_theirs_below(parts):
    def row(ours):
        sides = {parts["plan"].OURS: ours, parts["plan"].THEIRS: (0.70, 0.72)}
        results = {
            _cell(parts, side=side, seed=seed): {"score": score, "seconds": 1.0, "cpu_seconds": 1.0}
            for side, scores in sides.items()
            for seed, score in enumerate(scores)
        }
        return next(iter(parts["report"].rows(results)))

    assert row((0.69, 0.71))["holds"] == "yes"
    assert row((0.68, 0.70))["holds"] == "no"


def test_times_are_compared_seed_by_seed(parts):
    sides = {parts["plan"].OURS: (1.0, 30.0, 9.0), parts["plan"].THEIRS: (2.0, 20.0, 10.0)}
    results = {
        _cell(parts, side=side, seed=seed): {
            "score": 0.5,
            "seconds": s,
            "cpu_seconds": 2 * s + seed,
        }
        for side, seconds in sides.items()
        for seed, s in enumerate(seconds)
    }
    ours, theirs = parts["report"].rows(results)
    assert (ours["of_theirs"], theirs["of_theirs"]) == ("0.90", "1.00")
    # 2 / 4, 61 / 41 and 20 / 22.
    assert ours["cpu_of_theirs"] == "0.91"
