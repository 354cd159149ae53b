"""The options that `train` has for every kind of task, and what is done with them."""

import inspect
from pathlib import Path
from typing import Annotated, Literal

import typer

from tf_bertembed.cli.native import start_tensorflow
from tf_bertembed.cli.options import Force, Json, Seed, output_as, shown


def option(name, text, **limits):
    """An option by its name and its help."""
    return typer.Option(name, help=text, **limits)


def _start(
    backbone: Annotated[
        str | None,
        option(
            "--backbone",
            "A RUN, a checkpoint folder or all-minilm-l6-v2. By default a new one of the sizes "
            "below.",
        ),
    ] = None,
    vocabulary: Annotated[
        Path | None,
        option(
            "--vocabulary",
            "New backbone: its pieces, one a line. By default learnt from the training texts.",
        ),
    ] = None,
    vocabulary_size: Annotated[
        int, option("--vocabulary-size", "New backbone: the most pieces to learn.", min=6)
    ] = 8000,
    lowercase: Annotated[
        bool,
        option("--lowercase/--no-lowercase", "New backbone: whether texts are lower-cased."),
    ] = True,
    num_layers: Annotated[int, option("--num-layers", "New backbone: its layers.", min=1)] = 2,
    num_heads: Annotated[
        int, option("--num-heads", "New backbone: heads of each layer.", min=1)
    ] = 4,
    hidden_dim: Annotated[int, option("--hidden-dim", "New backbone: its width.", min=1)] = 128,
    vectors: Annotated[
        str | None, option("--vectors", "Word vectors: a file, or glove-6b-50d.")
    ] = None,
    input_fusion: Annotated[
        Literal["add", "concat", "gate"] | None,
        option("--input-fusion", "How they join the tokens."),
    ] = None,
    output_fusion: Annotated[
        Literal["concat", "add", "gate"] | None,
        option("--output-fusion", "How they join the encoder's output."),
    ] = None,
    static_trainable: Annotated[
        bool | None,
        option(
            "--static-trainable/--no-static-trainable",
            "Whether training changes them. By default not, or as the RUN at --backbone was made.",
        ),
    ] = None,
    static_dropout: Annotated[
        float,
        option("--static-dropout", "The share of words without one in training.", min=0, max=1),
    ] = 0.0,
    frequent_words: Annotated[
        int,
        option(
            "--frequent-words",
            "How many of the first vectors to keep, beside those of all words in the training "
            "texts.",
            min=0,
        ),
    ] = 20_000,
    warm_start: Annotated[
        bool | None,
        option(
            "--warm-start/--no-warm-start",
            "Whether the token table starts from them. By default where the backbone is new.",
        ),
    ] = None,
):
    """What the model starts from: the fields of `training.ModelStart`."""


def _settings(
    epochs: Annotated[int, option("--epochs", "The most passes over the rows.", min=1)] = 3,
    batch_size: Annotated[int, option("--batch-size", "Examples in a step.", min=1)] = 32,
    learning_rate: Annotated[
        float | None,
        option(
            "--learning-rate",
            "The highest. By default 5e-5; 1e-3 for a new backbone, the head alone, or LoRA.",
        ),
    ] = None,
    warmup_share: Annotated[
        float, option("--warmup-share", "The share of the steps in which it rises.")
    ] = 0.1,
    weight_decay: Annotated[float, option("--weight-decay", "AdamW's decay.")] = 0.01,
    sequence_length: Annotated[
        int, option("--sequence-length", "The most pieces of a text.", min=3)
    ] = 128,
    precision: Annotated[
        Literal["float32", "mixed_float16", "mixed_bfloat16"] | None,
        option("--precision", "By default float32."),
    ] = None,
    patience: Annotated[
        int | None,
        option(
            "--patience",
            "Stop after so many epochs without a better dev metric. By default all epochs are "
            "trained; the best weights are kept either way.",
            min=1,
        ),
    ] = None,
    layers: Annotated[
        str,
        option("--layers", "What is trained: all, head, or the number of the topmost layers."),
    ] = "all",
    unfreeze_every: Annotated[
        int | None,
        option(
            "--unfreeze-every",
            "Train the head first, and after so many epochs each one more layer from the top.",
            min=1,
        ),
    ] = None,
    lora_rank: Annotated[
        int | None,
        option("--lora-rank", "Train changes of this rank instead of the layers (LoRA).", min=1),
    ] = None,
    lora_alpha: Annotated[
        float | None, option("--lora-alpha", "Scales these changes. By default the rank.")
    ] = None,
    layer_decay: Annotated[
        float,
        option("--layer-decay", "The share of the learning rate from a layer to the next below."),
    ] = 1.0,
    head_factor: Annotated[
        float, option("--head-factor", "What the head's learning rate is multiplied by.")
    ] = 1.0,
):
    """How it is trained: the fields of `training.FitSettings` but for the seed."""


def _run(
    train: Annotated[Path, option("--train", "The rows to train on.")],
    output: Annotated[Path, option("--output", "The RUN folder to make.")],
    dev: Annotated[
        Path | None, option("--dev", "Rows that choose the best epoch and seed.")
    ] = None,
    test: Annotated[Path | None, option("--test", "Rows to judge by at the end.")] = None,
    folds: Annotated[
        int | None,
        option(
            "--folds",
            "First judge by so many folds of the training rows, each held out once.",
            min=2,
        ),
    ] = None,
    seeds: Annotated[
        int, option("--seeds", "Train with so many seeds and keep the best.", min=1)
    ] = 1,
    resumable: Annotated[
        bool,
        option(
            "--resumable/--no-resumable",
            "Whether to keep the state of the training beside --output, so that the same command "
            "goes on after a kill.",
        ),
    ] = True,
):
    """What is trained on, and where it goes: arguments of `training.fine_tune`."""


def _parameters(function):
    return list(inspect.signature(function).parameters.values())


def train_command(recipe):
    """Make a command of a function that takes a kind's own options.

    The function answers a pair: the arguments of the recipe, and those of its `make`. The command
    takes the shared options too, fine-tunes, and prints what came of it.

    Args:
        recipe: string. The kind of task.

    Returns:
        A decorator.
    """

    def decorate(function):
        def command(force: Force = False, seed: Seed = 0, as_json: Json = False, **given):
            def taken(group):
                return {p.name: given[p.name] for p in _parameters(group)}

            recipe_options, task_options = function(**taken(function))
            start_tensorflow()
            from tf_bertembed import training
            from tf_bertembed.training.recipes import make_recipe

            settings = taken(_settings)
            if settings["layers"].isdecimal():
                settings["layers"] = int(settings["layers"])
            with output_as(as_json) as print_json:
                tuned = training.fine_tune(
                    make_recipe(recipe, **recipe_options),
                    start=training.ModelStart(**taken(_start)),
                    settings=training.FitSettings(seed=seed, **settings),
                    task_options=task_options,
                    overwrite=force,
                    **taken(_run),
                )
                (print_json or _show)(tuned.report)

        own = [p for p in _parameters(command) if p.kind is not p.VAR_KEYWORD]
        groups = (*map(_parameters, (_run, function, _start, _settings)), own)
        shown = [p.replace(kind=p.KEYWORD_ONLY) for group in groups for p in group]
        command.__name__, command.__doc__ = function.__name__, function.__doc__
        command.__signature__ = inspect.Signature(shown)
        command.__annotations__ = {p.name: p.annotation for p in shown}
        return command

    return decorate


def _show_metrics(name, metrics):
    print(f"  {name}: " + "  ".join(f"{key} {shown(value)}" for key, value in metrics.items()))


def _show_repeated(name, result):
    mean, spread = result["mean"], result["spread"]
    values = (f"{key} {shown(mean[key])} ± {shown(spread[key])}" for key in mean)
    print(f"  {name}: " + "  ".join(values))


def _show(report):
    rows = ", ".join(f"{count} {name}" for name, count in report["rows"].items())
    print(f"{report['task']} ({rows} rows): {report['output']}")
    print(
        f"  {report['epochs']} epochs in {report['seconds']:.1f} s, weights of epoch "
        f"{report['best_epoch']}"
    )
    metrics = report["metrics"]
    if "folds" in metrics:
        _show_repeated(f"{len(metrics['folds']['values'])} folds", metrics["folds"])
    seeds = metrics.get("seeds", {})
    for name in ("dev", "test"):
        if name in metrics:
            _show_metrics(name, metrics[name])
        if name in seeds:
            _show_repeated(f"{name}, {len(seeds['values'])} seeds", seeds[name])
