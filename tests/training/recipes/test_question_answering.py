import json
import random

import pytest
import tensorflow as tf

from tf_bertembed import export, models, tasks, text, training
from tf_bertembed.common import BertEmbedError, FileFormatError
from tf_bertembed.training import recipes

PEOPLE = ["Ada", "Zoë", "Bo", "Ute"]
PLACES = ["Oslo", "Rome", "Bern", "Lima"]


def make_file(path, seed, rows=24, impossible=False):
    """Questions whose answer follows from the context, some of them without one."""
    draw = random.Random(seed)
    paragraphs = []
    for number in range(rows):
        who, where = draw.choice(PEOPLE), draw.choice(PLACES)
        context = f"🙂 {who} lives in {where} , said paper {seed} {number} ."
        name = f"{seed}-{number}"
        if impossible and number % 3 == 0:
            entry = {"question": "who came ?", "answers": [], "is_impossible": True}
        else:
            answer = {"text": where, "answer_start": context.index(where)}
            entry = {"question": f"where is {who} ?", "answers": [answer]}
        paragraphs.append({"context": context, "qas": [{"id": name, **entry}]})
    path.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}), encoding="utf-8")
    return path


def settings(**changes):
    return training.FitSettings(**{"epochs": 1, "sequence_length": 24, "batch_size": 8, **changes})


START = {"num_layers": 1, "num_heads": 2, "hidden_dim": 16}


@pytest.fixture(scope="module")
def recipe():
    return recipes.QuestionAnsweringRecipe()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("qa")
    return {
        "train": make_file(folder / "train.json", 1, impossible=True),
        "dev": make_file(folder / "dev.json", 2, 9, impossible=True),
    }


@pytest.fixture(scope="module")
def run(files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    start = training.ModelStart(**START)
    # A few steps run quicker than they are traced.
    tf.config.run_functions_eagerly(True)
    try:
        training.fine_tune("qa", **files, output=folder, start=start, settings=settings())
    finally:
        tf.config.run_functions_eagerly(False)
    return folder


@pytest.mark.filterwarnings("ignore:Even though the `tf.config.experimental_run_functions")
def test_the_run(run, files, tmp_path):
    metrics = json.loads((run / "metrics.json").read_text())
    names = ["exact_match", "f1", "has_answer_exact_match", "has_answer_f1", "no_answer_f1"]
    assert list(metrics["dev"]) == names
    assert metrics["details"]["dev"]["language"] == "en"
    report = training.evaluate_run(run, files["dev"], errors=tmp_path / "errors.tsv")
    assert report["metrics"] == pytest.approx(metrics["dev"])
    header, *rows = (tmp_path / "errors.tsv").read_text(encoding="utf-8").splitlines()
    assert header.split("\t") == ["id", "question", "predicted", "gold", "f1", "score"]
    keys = [(float(row.split("\t")[4]), -float(row.split("\t")[5])) for row in rows]
    assert keys == sorted(keys)
    training.predict_file(run, files["dev"], tmp_path / "answers.jsonl")
    lines = (tmp_path / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    answers = [json.loads(line) for line in lines]
    examples, _ = text.read_squad(files["dev"])
    assert [answer["id"] for answer in answers] == [example.id for example in examples]
    said = [answer["answer"] for answer in answers]
    assert tasks.score_answers(examples, said) == pytest.approx(metrics["dev"])


def test_the_threshold_that_is_best_on_dev_is_kept(run, files):
    recipe, task = recipes.load_run(run)
    details = json.loads((run / "metrics.json").read_text())["details"]["dev"]
    assert task.null_threshold == details["null_threshold"]
    dev = recipe.read(files["dev"])
    best = recipe.evaluate(task, dev)["f1"]
    for threshold in (None, -50.0, 50.0):
        task.null_threshold = threshold
        assert recipe.evaluate(task, dev)["f1"] <= best + 1e-9


def test_the_run_is_an_encoder(run):
    assert models.load_encoder(run).encode(["Ada lives in Oslo"]).shape == (1, 16)


@pytest.mark.slow
def test_the_run_is_served(run, tmp_path):
    _, task = recipes.load_run(run)
    pairs = [("where is Ada ?", "🙂 Ada lives in Oslo .")]
    path = export.export_saved_model(task, tmp_path / "served", examples=pairs)
    assert path.name == "1"


@pytest.mark.slow
def test_it_learns(tmp_path):
    files = {name: tmp_path / f"{name}.json" for name in ("train", "dev")}
    for (_, path), (seed, rows) in zip(files.items(), ((1, 300), (2, 60)), strict=True):
        make_file(path, seed, rows, impossible=True)
    start = training.ModelStart(num_layers=2, num_heads=4, hidden_dim=32)
    tuned = training.fine_tune(
        "qa", **files, start=start, settings=settings(epochs=12, learning_rate=3e-3)
    )
    assert tuned.report["metrics"]["dev"]["f1"] > 0.9
    assert tuned.report["metrics"]["dev"]["no_answer_f1"] > 0.9


def example(name="1", question="Who?", context="A cat sat.", answers=(("A cat", 0),), **changes):
    return text.SquadExample(name, question, context, answers, **changes)


def rows(*examples):
    return recipes.Examples((list(examples),))


def test_what_is_told_of_the_task(recipe):
    plain, none = example(), example("2", answers=(), impossible=True)
    assert recipe.options_for(rows(plain)) == {"null_threshold": None, "language": "en"}
    assert recipe.options_for(rows(plain, none))["null_threshold"] == 0.0
    chinese = example(context="猫坐在垫子上 mat。", answers=(("猫", 0),))
    assert recipe.options_for(rows(chinese))["language"] == "zh"
    fixed = recipes.QuestionAnsweringRecipe("exact_match", 1.5, "zh")
    assert fixed.options_for(rows(plain, none)) == {"null_threshold": 1.5, "language": "zh"}
    assert recipe.strata(rows(plain)) is None
    assert recipe.strata(rows(plain, none)) == ["answer", "no answer"]
    assert list(recipe.texts(rows(plain, example("2", "Why?")))) == ["Who?", "Why?", "A cat sat."]


def test_rows_in_both_sets(recipe):
    with pytest.warns(UserWarning, match="1 of 2 questions of the dev set stand"):
        recipe.check(rows(example()), rows(example("other"), example("2", "Why?")))


def test_faults(recipe, tmp_path):
    with pytest.raises(BertEmbedError, match="No question has an answer that stands"):
        recipe.check(rows(example(answers=(("dog", -1),))))
    with pytest.raises(BertEmbedError, match="metric must be one of"):
        recipes.QuestionAnsweringRecipe("accuracy")
    with pytest.raises(BertEmbedError, match=r"as SQuAD's JSON\. Received: plain text lines"):
        recipe.from_lines(["Who?"])
    with pytest.raises(FileFormatError, match=r"x.txt: Questions and their contexts"):
        recipe.from_lines(["Who?"], "x.txt")


def test_answers_that_are_not_known(run):
    recipe, task = recipes.load_run(run)
    unknown = rows(example(answers=()))
    assert len(recipe.answers(task, unknown)) == 1
    for judge in (recipe.evaluate, recipe.errors):
        with pytest.raises(BertEmbedError, match="'1' has no answer to compare with"):
            judge(task, unknown)
