import dataclasses

import pytest


@pytest.fixture(scope="module")
def benchmark(import_scripts):
    """The script and its report, imported as they import one another."""
    with import_scripts("warm_start", "warm_start_report") as scripts:
        yield scripts


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps", "0"], "--steps must be at least 1. Received: 0."),
        (["--hidden-dim", "30"], "--hidden-dim must be a multiple of 4. Received: 30."),
        (["--steps", "30"], "--steps must be a multiple of --evaluations. Received: 30 and 8."),
        (["--corpora", "wikitext2"], "the corpora wikitext2 and chinese-news need --data."),
    ],
)
def test_bad_arguments(benchmark, arguments, message, capsys, tmp_path):
    output = tmp_path / "out"
    with pytest.raises(SystemExit):
        benchmark[0].main(["--output", str(output), *arguments])
    assert message in capsys.readouterr().err
    assert not output.exists()


@pytest.mark.parametrize(
    ("losses", "goal", "step"),
    [
        ([[25, 7.0], [50, 6.0]], 6.5, 37.5),
        ([[25, 7.0], [50, 6.0]], 6.0, 50),
        ([[25, 7.0], [50, 6.0]], 7.5, 25),
        ([[25, 7.0], [50, 6.0]], 5.9, None),
    ],
)
def test_the_step_at_which_a_curve_passes(benchmark, losses, goal, step):
    assert benchmark[1].passing_step(losses, goal) == step


def test_a_start_is_judged_at_its_own_best_recipe(benchmark, tmp_path):
    script, report = benchmark
    arguments = script.parsed(["--output", str(tmp_path)])
    kept = script.Losses(arguments).kept
    cold = script.Run("wikipedia", "post", "tied", "cold", "", "input", 1e-3, 0.1, 0, 8)
    own = dataclasses.replace(cold, start="own", alignment="words")
    curves = {
        cold: [[4, 7.0], [8, 6.9]],
        dataclasses.replace(cold, learning_rate=3e-3): [[4, 6.9], [8, 6.6]],
        dataclasses.replace(cold, learning_rate=3e-3, seed=1): [[4, 6.9], [8, 6.8]],
        own: [[4, 7.0], [8, 6.0]],
        dataclasses.replace(own, warmup=0.3): [[4, 7.0], [8, 6.2]],
    }
    for run, curve in curves.items():
        kept.keep(run, curve, 1.0)
    losses = script.Losses(arguments).kept.results
    assert losses == curves
    first, second = report.rows(losses)
    assert (first["start"], first["learning_rate"], first["seeds"]) == ("cold", 3e-3, 2)
    assert (first["loss"], first["deviation"], first["passes_cold_at"]) == ("6.700", "0.141", "8")
    assert (second["start"], second["warmup"], second["loss"]) == ("own, words", 0.1, "6.000")
    assert (second["passes_cold_at"], second["share_of_steps"]) == ("5", "0.65")
