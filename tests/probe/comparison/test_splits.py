"""Rows to learn from: the same for every method, nested by budget, cut where a class is small."""

import numpy as np
import pytest

from tf_bertembed.common import BertEmbedError, FileFormatError, MissingFileError
from tf_bertembed.probe.comparison.labelled_data import LabelledData, read_data
from tf_bertembed.probe.comparison.splits import ALL, check_budgets, make_draws, make_splits


def data_of(counts, test_rows=0):
    labels = np.repeat(np.arange(len(counts)), counts)
    labels = np.concatenate(
        [np.random.default_rng(0).permutation(labels), np.zeros(test_rows, int)]
    )
    texts = [f"text {row}" for row in range(len(labels))]
    return LabelledData((texts,), labels, list("abcdef")[: len(counts)], sum(counts), 0)


def test_folds_hold_each_row_out_once_a_repeat():
    data = data_of([40, 20])
    splits = make_splits(data, folds=4, repeats=3, seed=0)
    assert len(splits) == 12
    held = np.concatenate([split.test for split in splits])
    assert np.bincount(held).tolist() == [3] * 60
    for split in splits:
        assert not set(split.pool) & set(split.test)
        assert np.bincount(data.labels[split.test]).tolist() == [10, 5]
    again = make_splits(data, folds=4, repeats=3, seed=0)
    assert all((a.test == b.test).all() for a, b in zip(splits, again, strict=True))
    other = make_splits(data, folds=4, repeats=3, seed=1)
    assert any((a.test != b.test).any() for a, b in zip(splits, other, strict=True))


def test_a_test_file_is_one_split():
    (split,) = make_splits(data_of([5, 5], test_rows=3), folds=5, repeats=2, seed=0)
    assert split.pool.tolist() == list(range(10))
    assert split.test.tolist() == [10, 11, 12]


def test_draws_are_stratified_nested_and_seeded():
    data = data_of([30, 20, 12], test_rows=4)
    splits = make_splits(data, 5, 2, seed=0)
    found, notes = make_draws(data.labels, splits, [4, 10, ALL], draws=3, seed=0)
    assert not notes
    assert [len(found[budget]) for budget in (4, 10, ALL)] == [3, 3, 1]
    for small, large in zip(found[4], found[10], strict=True):
        assert np.bincount(data.labels[small.rows]).tolist() == [4, 4, 4]
        assert set(small.rows) < set(large.rows)
    assert found[ALL][0].rows.tolist() == list(range(62))
    assert found[4][0].rows.tolist() != found[4][1].rows.tolist()
    again, _ = make_draws(data.labels, splits, [4], draws=3, seed=0)
    assert again[4][2].rows.tolist() == found[4][2].rows.tolist()


def test_small_classes_are_cut_and_told():
    data = data_of([30, 20, 5], test_rows=4)
    splits = make_splits(data, 5, 2, seed=0)
    found, notes = make_draws(data.labels, splits, [10, 50], draws=2, seed=0)
    assert np.bincount(data.labels[found[10][0].rows]).tolist() == [10, 10, 5]
    assert list(found) == [10, ALL]
    assert notes == [
        "At 10 labels a class, classes of fewer rows (the smallest has 5) give all they have.",
        "50 labels a class are all that there are.",
    ]


def test_budgets_as_a_command_line_gives_them():
    assert check_budgets(["all", "100", 10, "10"]) == [10, 100, "all"]
    assert (check_budgets("all"), check_budgets(10)) == (["all"], [10])
    for budgets in (["1"], ["many"], [True], ["1.5"], ["-3"], [], [""]):
        with pytest.raises(BertEmbedError, match="budget"):
            check_budgets(budgets)


@pytest.mark.parametrize(
    ("counts", "test_rows", "folds", "message"),
    [
        ([9, 1], 3, 5, r"2 rows to learn from or more\. Received: 1 of 'b'"),
        ([9, 4], 0, 5, r"5 rows or more for 5 folds\. Received: 4 of 'b'\. Give more rows, fewer"),
        ([9, 2], 0, 2, r"3 rows or more for 2 folds\. Received: 2 of 'b'"),
        ([9, 9], 0, 1, r"`folds` must be an int of at least 2\. Received: 1"),
    ],
)
def test_too_few_rows(counts, test_rows, folds, message):
    with pytest.raises(BertEmbedError, match=message):
        make_splits(data_of(counts, test_rows), folds, 2, seed=0)


def test_files_are_joined(tmp_path):
    train, test = tmp_path / "train.tsv", tmp_path / "test.jsonl"
    train.write_text("text\tlabel\none\tb\ntwo\ta\nthree\tb\n")
    test.write_text('{"text": "one", "label": "b"}\n{"text": "four", "label": "a"}\n')
    data = read_data(train, test)
    assert data.texts == (["one", "two", "three", "one", "four"],)
    assert (data.classes, data.labels.tolist()) == (["a", "b"], [1, 0, 1, 1, 0])
    assert (data.train_rows, data.repeated, data.has_test) == (3, 1, True)
    assert data.smallest() == ("a", 1)
    assert not read_data(train).has_test


def test_files_that_do_not_fit(tmp_path):
    train, test, pairs = (tmp_path / name for name in ("train.tsv", "test.tsv", "pairs.tsv"))
    train.write_text("text\tlabel\none\tb\ntwo\ta\n")
    test.write_text("text\tlabel\none\ta\ntwo\tc\n")
    pairs.write_text("text_a\ttext_b\tlabel\none\ttwo\ta\n")
    with pytest.raises(FileFormatError, match=r"test\.tsv, line 3: No row .*train\.tsv .*'c'"):
        read_data(train, test)
    with pytest.raises(BertEmbedError, match="pairs of texts, the other single texts"):
        read_data(train, pairs)
    with pytest.raises(FileFormatError, match=r"2 labels or more .*only 'a'"):
        read_data(pairs)
    with pytest.raises(MissingFileError, match=r"nowhere\.tsv"):
        read_data(train, tmp_path / "nowhere.tsv")
    test.write_text("text\tscore\none\t1\n")
    with pytest.raises(FileFormatError, match="`label` is missing"):
        read_data(train, test)
