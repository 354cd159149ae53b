"""The rows of a cell, as JSON that both sides read."""

import json
import random

from tf_bertembed import text

SPLITS = {
    "sst2": ("sst2/train.tsv", "sst2/test.tsv"),
    "trec": ("trec/train.tsv", "trec/test.tsv"),
    "chnsenticorp": ("chnsenticorp/train.tsv", "chnsenticorp/test.tsv"),
    "stsb": ("stsb-en/train.tsv", "stsb-en/test.tsv"),
    "ud-ewt": ("ud-en-ewt/train.conllu.gz", "ud-en-ewt/test.conllu.gz"),
    "wnut17": ("wnut17/train.conll", "wnut17/test.conll"),
    "resume-ner": ("resume-ner/train.bmes", "resume-ner/test.bmes"),
    "xquad": ("xquad/en.json",),
}


def _read(kind, path):
    if kind == "tagging":
        return list(zip(*text.read_tagged(path), strict=True))
    texts, targets = text.read_labelled(path)
    columns = texts if isinstance(texts, tuple) else (texts,)
    if kind == "similarity":
        targets = [score / 5 for score in targets]
    return list(zip(*columns, targets, strict=True))


def _questions(path):
    """XQuAD cut in two by article: of five articles the second is judged by, 238 questions."""
    articles = json.loads(path.read_text(encoding="utf-8"))["data"]
    judged = {
        question["id"]
        for article in articles[1::5]
        for paragraph in article["paragraphs"]
        for question in paragraph["qas"]
    }
    rows = [
        (example.id, example.question, example.context, [list(a) for a in example.answers])
        for example in text.read_squad(path)[0]
    ]
    train = [row for row in rows if row[0] not in judged]
    return train, [row for row in rows if row[0] in judged]


def question(row):
    """The `text.SquadExample` of a row."""
    number, asked, context, answers = row
    return text.SquadExample(number, asked, context, tuple(map(tuple, answers)))


def _of_each(rows, count, draw):
    chosen = []
    for label in sorted({row[-1] for row in rows}):
        own = [row for row in rows if row[-1] == label]
        chosen += draw.sample(own, min(count, len(own)))
    draw.shuffle(chosen)
    return chosen


def rows_of(cell, data):
    """The rows to train on and to judge by; the same for every side and form.

    Returns:
        A dict, ready for JSON: `train` and `test`, lists of rows whose last item is the target,
        and `labels`, sorted.
    """
    setting, files = cell.setting, SPLITS[cell.data]
    if setting.kind == "qa":
        train, test = _questions(data / files[0])
    else:
        train, test = (_read(setting.kind, data / name) for name in files)
    draw = random.Random(f"{cell.data} {cell.per_class and cell.seed}")
    if cell.per_class:
        chosen = _of_each(train, cell.per_class, draw)
    else:
        chosen = train if len(train) <= setting.rows else draw.sample(train, setting.rows)
    labels = []
    if setting.kind == "classification":
        labels = sorted({row[-1] for row in train})
    elif setting.kind == "tagging":
        labels = sorted({tag for row in train for tag in row[-1]})
    return {"train": chosen, "test": test[: setting.test_rows or None], "labels": labels}
