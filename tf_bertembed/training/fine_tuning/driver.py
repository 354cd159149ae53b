"""From data files to a RUN folder, by plain `task.fit`."""

import contextlib
import dataclasses
import gc
import tempfile
from pathlib import Path

from tf_bertembed import __version__, vectors
from tf_bertembed.common import BertEmbedError, OutputExistsError, check_at_least
from tf_bertembed.models import find_checkpoint
from tf_bertembed.tasks.base import BertEmbedTask
from tf_bertembed.tasks.checkpoint_parts import EXISTS, check_spared
from tf_bertembed.training.fine_tuning.fitting import Trial
from tf_bertembed.training.fine_tuning.repeats import cut_folds, mean_and_spread
from tf_bertembed.training.fine_tuning.settings import FitSettings
from tf_bertembed.training.fine_tuning.start import ModelStart
from tf_bertembed.training.fine_tuning.unfinished import UnfinishedRun, digest
from tf_bertembed.training.recipes import Examples, Recipe, make_recipe
from tf_bertembed.training.run_folder import save_run
from tf_bertembed.training.undefined import without_nan


@dataclasses.dataclass
class FineTuned:
    """A task that was fine-tuned, and how that went.

    Args:
        task: the task with its best weights.
        history: dict of lists, one number an epoch.
        report: dict that JSON can hold: `rows`, `metrics`, `epochs`,
            `best_epoch`, `seconds` and more.
    """

    task: BertEmbedTask
    history: dict
    report: dict


def fine_tune(
    recipe,
    train,
    output=None,
    dev=None,
    test=None,
    start=None,
    settings=None,
    task_options=None,
    folds=None,
    seeds=1,
    overwrite=False,
    resumable=True,
):
    """Fine-tune a task and write its RUN folder.

    With a dev set, training stops early by the recipe's metric and the best
    weights are kept. With several seeds, the task that did best on the dev
    set is kept (the first, where there is none). Folds hold out each row once,
    with all classes in each where there are classes; they only tell how well
    it goes, and the task that is kept is then trained on all rows.

    The folder is what `save_run` writes, with `training.json`, all that the
    task was trained with, and the plots of the recipe. `metrics.json` has the
    metrics of `dev` and `test`, of each of the `seeds` and `folds` with mean
    and spread (standard deviation of a sample), and under `details` what the
    recipe tells beyond numbers.

    Args:
        recipe: a `recipes.Recipe`, or its name (`"classification"`).
        train: string, `pathlib.Path` or `recipes.Examples`. The rows.
        output: string or `pathlib.Path`. The folder to make; `None` for none.
        dev: as `train`. The rows that choose; `None` for none.
        test: as `train`. Rows to judge by at the end; `None` for none.
        start: a `ModelStart`; `None` for a new, small backbone.
        settings: a `FitSettings`; `None` for its defaults.
        task_options: dict. More arguments of `recipe.make`.
        folds: int. How many folds; `None` for none.
        seeds: int. How many seeds, from the settings' seed on.
        overwrite: bool. Whether to replace what stands at `output`.
        resumable: bool. Whether to write the state of the training beside
            `output` after each epoch (three times the model's size, for each
            seed), so that the same call after a kill goes on after the last
            epoch, to the same weights, and trains no fold or seed again that
            was done.

    Returns:
        A `FineTuned`.

    Raises:
        OutputExistsError: where `output` is there and `overwrite` is False;
            before anything is read.
        FileFormatError: where a data file is not what it should be.
        BertEmbedError: where data or arguments do not fit one another.

    Example:

    ```python
    from tf_bertembed import training
    from tf_bertembed.training.recipes import Examples

    rows = Examples((["a match", "a chip"] * 4,), ["sport", "tech"] * 4)
    start = training.ModelStart(num_layers=1, num_heads=2, hidden_dim=8)
    settings = training.FitSettings(epochs=1, sequence_length=8)
    tuned = training.fine_tune("classification", rows, "run", start=start, settings=settings)
    assert tuned.task.labels == ["sport", "tech"]
    ```
    """
    start, settings = start or ModelStart(), settings or FitSettings()
    check_at_least(1, seeds=seeds)
    if folds is not None:
        check_at_least(2, folds=folds)
    recipe = make_recipe(recipe) if isinstance(recipe, str) else recipe
    for name, value, kind in (
        ("recipe", recipe, Recipe),
        ("start", start, ModelStart),
        ("settings", settings, FitSettings),
        ("task_options", task_options or {}, dict),
    ):
        if not isinstance(value, kind):
            raise BertEmbedError(f"`{name}` must be a {kind.__name__}. Received: {value!r:.80}.")
    _check_output(output, start, overwrite, (train, dev, test))
    given = {"train": train, "dev": dev, "test": test}
    rows = {
        name: _examples(recipe, name, part)
        for name, part in given.items()
        if part is not None or name == "train"
    }
    train, dev, test = (rows.get(name) for name in given)
    recipe.check(train, dev)
    if test is not None:
        recipe.check(train, test)
    if dev is not None:
        recipe.settle_metric(dev)
    report = {
        "task": recipe.name,
        "output": None if output is None else str(output),
        "rows": {name: len(part) for name, part in rows.items()},
    }
    told = {
        "recipe": recipe.name,
        "recipe_options": {n: v for n, v in vars(recipe).items() if not n.startswith("_")},
        "metric": recipe.metric,
        "data": {n: None if p.path is None else str(p.path) for n, p in rows.items()},
        "start": start.fields,
        "settings": dataclasses.asdict(settings),
        "task_options": task_options or {},
        "folds": folds,
        "seeds": seeds,
        "version": __version__,
    }
    if isinstance(start.vectors, (str, Path)):
        start = dataclasses.replace(start, vectors=vectors.load(start.vectors))
    options = {**recipe.options_for(train), **(task_options or {})}
    trial = Trial(recipe, start, settings, options)
    metrics = {}
    state = contextlib.nullcontext()
    if resumable and output is not None:
        state = UnfinishedRun(output, {**told, "rows": [digest(part) for part in rows.values()]})
    with state as unfinished:
        if folds is not None:
            metrics["folds"] = _run_folds(trial, train, dev, folds, unfinished)
        fitted, judged = _run_seeds(
            trial, train, {"dev": dev, "test": test}, seeds, metrics, unfinished
        )
        _judge(trial, fitted, judged, metrics, report, told, overwrite)
    return FineTuned(fitted.task, fitted.history, report)


def _judge(trial, fitted, judged, metrics, report, told, overwrite):
    """Complete the report, and write the RUN where it has an output."""
    report |= {
        "epochs": len(fitted.history["loss"]),
        "best_epoch": fitted.best_epoch,
        "seconds": fitted.seconds,
    }
    with tempfile.TemporaryDirectory() as folder:
        details, plots = {}, []
        for name, part in judged.items():
            # The plots show the test set, or where there is none the dev set.
            place = folder if name == list(judged)[-1] else None
            found = trial.recipe.report(
                fitted.task, part, place, batch_size=trial.settings.batch_size
            )
            metrics[name] = found.metrics
            details[name] = found.details
            plots += found.plots
        metrics = without_nan(metrics)
        details = without_nan(details)
        report["metrics"] = metrics
        report["plots"] = [path.name for path in plots]
        if report["output"] is not None:
            save_run(
                report["output"],
                fitted.task,
                fitted.history,
                {**metrics, "details": details},
                overwrite=overwrite,
                settings={**told, "best_epoch": fitted.best_epoch, "seconds": fitted.seconds},
                files=plots,
            )


def _check_output(output, start, overwrite, data):
    if output is None:
        return
    if not isinstance(output, (str, Path)):
        raise BertEmbedError(f"`output` must be a path. Received: {output!r:.80}.")
    if Path(output).exists() and not overwrite:
        raise OutputExistsError(output, EXISTS)
    if start.backbone is not None:
        check_spared(find_checkpoint(start.backbone), output)
    for source in (*data, start.vectors, start.vocabulary):
        if isinstance(source, (str, Path)):
            check_spared(source, output)


def _examples(recipe, name, data):
    if isinstance(data, (str, Path)):
        return recipe.read(data)
    if not isinstance(data, Examples) or not len(data):
        raise BertEmbedError(
            f"`{name}` must be the path of a data file, or `Examples` of at least one row. "
            f"Received: {data!r:.80}."
        )
    return data


def _run_folds(trial, train, dev, folds, unfinished):
    values = []
    for kept, held_out in cut_folds(trial.recipe, train, folds, trial.settings.seed):
        name = f"fold_{len(values) + 1}"
        found = None if unfinished is None else unfinished.finished(name)
        if found is None:
            fitted = trial.fit(
                trial.prepared(kept),
                kept,
                dev,
                trial.settings.seed,
                f"Fold {len(values) + 1} of {folds}",
                None if unfinished is None else unfinished.place(name),
            )
            found = trial.recipe.evaluate(fitted.task, held_out, trial.settings.batch_size)
            if unfinished is not None:
                unfinished.finish(name, found)
            del fitted
            gc.collect()
        values.append(found)
    return {"values": values, **mean_and_spread(values)}


def _run_seeds(trial, train, judges, seeds, metrics, unfinished):
    """Fit with each seed; answer the best, and the sets that it is to be judged by."""
    judged = {name: part for name, part in judges.items() if part is not None}
    recipe, settings = trial.recipe, trial.settings
    model, values, best, best_score = trial.prepared(train), [], None, None
    for number in range(seeds):
        seed = settings.seed + number
        description = f"Seed {number + 1} of {seeds}" if seeds > 1 else "Fine-tuning"
        place = None if unfinished is None else unfinished.place(f"seed_{seed}")
        fitted = trial.fit(model, train, judges["dev"], seed, description, place)
        score = 0.0
        if judges["dev"] is not None:
            score = fitted.history[f"val_{recipe.metric}"][fitted.best_epoch - 1]
        if seeds > 1 and judged:
            found = {
                name: recipe.evaluate(fitted.task, part, settings.batch_size)
                for name, part in judged.items()
            }
            values.append({"seed": seed, "epoch": fitted.best_epoch, **found})
        if best is None or score > best_score:
            best, best_score = fitted, score
        del fitted
        gc.collect()
    if values:
        metrics["seeds"] = {
            "values": values,
            **{name: mean_and_spread([row[name] for row in values]) for name in judged},
        }
    return best, judged
