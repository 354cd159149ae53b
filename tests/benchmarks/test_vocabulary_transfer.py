"""The data and tables of `benchmarks/vocabulary_transfer.py`."""

import csv
import dataclasses

import pytest


@pytest.fixture(scope="module")
def scripts(import_scripts):
    with import_scripts("vocabulary_transfer", "vocabulary_transfer_runs") as modules:
        yield modules


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


@dataclasses.dataclass(frozen=True)
class Trial:
    """What tells a made-up run from another."""

    name: str
    rate: float


def test_a_run_that_is_kept_is_not_measured_again(import_scripts, tmp_path):
    path, measured = tmp_path / "runs.csv", []

    def measure(run):
        measured.append(run)
        return {"losses": {0: run.rate, 10: 0.5}}

    with import_scripts("kept_runs") as (script,):
        kept = script.KeptRuns(path, Trial, measure)
        runs = [Trial("a, b", 0.1), Trial("c", 1e-5)]
        first = [kept(run) for run in [*runs, *runs]]
        again = script.KeptRuns(path, Trial)
    assert measured == runs
    # As the file tells them, so that it is all one whether a script was stopped.
    assert first[0] == {"losses": {"0": 0.1, "10": 0.5}}
    assert again.results == kept.results == dict(zip(runs, first[:2], strict=True))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps", "3"], "--steps must be at least 4. Received: 3."),
        (["--base-steps", "4"], "--base-steps must be at least 5. Received: 4."),
        (["--seeds", "0"], "--seeds must be at least 1. Received: 0."),
    ],
)
def test_bad_arguments(scripts, arguments, message, monkeypatch, capsys, tmp_path):
    output, work = tmp_path / "table.csv", tmp_path / "work"
    places = ["--data", str(tmp_path), "--output", str(output), "--work", str(work)]
    monkeypatch.setattr("sys.argv", ["vocabulary_transfer.py", *places, *arguments])
    with pytest.raises(SystemExit):
        scripts[0].main()
    assert message in capsys.readouterr().err
    assert not work.exists()
