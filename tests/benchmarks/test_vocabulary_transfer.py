"""The data and tables of `benchmarks/vocabulary_transfer.py`."""

import csv
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

pytestmark = pytest.mark.skipif(
    not BENCHMARKS.exists(), reason="benchmarks/ is in the repository only"
)


@pytest.fixture(scope="module")
def scripts():
    """The script and its runs, imported as they import one another."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        import vocabulary_transfer
        import vocabulary_transfer_runs

        yield vocabulary_transfer, vocabulary_transfer_runs
        for name in ("vocabulary_transfer", "vocabulary_transfer_runs", "kept_runs"):
            sys.modules.pop(name)


def test_a_dictionary_out_of_parallel_sentences(scripts):
    pairs = [
        ("a dog runs", "ein hund rennt"),
        ("the dog sleeps", "der hund schläft"),
        ("a cat runs", "eine katze rennt"),
        ("the cat sleeps", "die katze schläft"),
        ("a dog", "ein hund"),
        ("the house", "das haus"),
    ]
    english, german = zip(*pairs * 4, strict=True)
    found = dict(scripts[1].dictionary_of(english, german, least=4))
    expected = {"dog": "hund", "cat": "katze", "runs": "rennt", "sleeps": "schläft"}
    assert expected.items() <= found.items()
    assert found["house"] == "haus"


def test_articles_of_wikitext(scripts, tmp_path):
    lines = ["", " = Lobster = ", "", " A well @-@ known animal . It weighs 1 @,@ 000 g . ", ""]
    lines += [" = = Names = = ", " It has two . ", " = Cat = ", " A cat . ", ""]
    (tmp_path / "part.txt").write_text("\n".join(lines), encoding="utf-8")
    assert scripts[1].wikitext(tmp_path) == [
        ["A well-known animal .", "It weighs 1,000 g .", "It has two ."],
        ["A cat ."],
    ]


def test_the_table_and_the_plot(scripts, tmp_path):
    main, runs = scripts
    result = {
        "losses": {"0": 7.0, "100": 6.5},
        "ways": {"copied": [3, 0.9], "mean": [1, 0.1]},
        "before": {"pieces_per_word": 1.5},
        "after": {"pieces_per_word": 1.25},
    }
    results = {
        runs.Run("film reviews", method, 0, 100, 1e-3, 2, 400): result
        for method in ("mean", "random")
    }
    main.write(results, tmp_path / "table.csv")
    main.plot(results, tmp_path / "table.png")
    with (tmp_path / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["method"] for row in rows] == ["mean", "random"]
    assert rows[0]["step 100"] == "6.500"
    assert (rows[0]["copied"], rows[0]["pieces per word after"]) == ("3", "1.250")
    assert (tmp_path / "table.png").stat().st_size > 1000
