"""Which recipe goes with a kind of task, by its name or by the folder of a run."""

import importlib
from pathlib import Path

from tf_bertembed import tasks
from tf_bertembed.common import BertEmbedError, FileFormatError, read_json
from tf_bertembed.common.damage import telling_damage
from tf_bertembed.training.run_folder import TRAINING

# Name of the kind: (module, recipe, class of the task).
KINDS = {
    "classification": ("classification", "ClassificationRecipe", "TextClassifier"),
    "qa": ("question_answering", "QuestionAnsweringRecipe", "QuestionAnswerer"),
    "similarity": ("similarity", "SimilarityRecipe", "SentenceEncoder"),
    "tagging": ("tagging", "TaggingRecipe", "TokenClassifier"),
}


def make_recipe(name, **options):
    """Make the recipe of a kind of task.

    Args:
        name: string. The kind: a key of `KINDS`.
        **options: what the recipe's constructor takes.

    Returns:
        A `Recipe`.

    Raises:
        BertEmbedError: where there is no such kind.

    Example:

    ```python
    from tf_bertembed.training import recipes

    assert recipes.make_recipe("classification").metric == "accuracy"
    ```
    """
    if name not in KINDS:
        raise BertEmbedError(
            f"The kind of task must be one of {', '.join(KINDS)}. Received: {name!r}."
        )
    module, recipe, _ = KINDS[name]
    return getattr(importlib.import_module(f"{__package__}.{module}"), recipe)(**options)


def recipe_of_run(folder, **options):
    """Make the recipe that goes with a trained task.

    Args:
        folder: string or `pathlib.Path`. A RUN.
        **options: what the recipe's constructor takes.

    Returns:
        A `Recipe`.

    Raises:
        MissingFileError: where the folder or its `task.json` is missing.
        FileFormatError: where the task is of no kind that can be judged.

    Example:

    ```python
    from tf_bertembed import models, tasks
    from tf_bertembed.training import recipes

    tasks.TextClassifier(models.BertEmbedBackbone(9, 1, 2, 8, 16), 2).save_to_preset("run")
    assert recipes.recipe_of_run("run").name == "classification"
    ```
    """
    path = Path(folder) / "task.json"
    found = read_json(path, "A RUN that `tf-bertembed train` made was expected.").get("class_name")
    name = next((name for name, kind in KINDS.items() if kind[2] == found), None)
    if name is None:
        known = ", ".join(task for *_, task in KINDS.values())
        raise FileFormatError(path, f"A task of {known} was expected. Received: {found!r}.")
    return make_recipe(name, **options)


def load_run(folder):
    """Load a trained task with the recipe that goes with it.

    Args:
        folder: string or `pathlib.Path`. A RUN.

    Returns:
        A pair of a `Recipe` and the task.

    Raises:
        MissingFileError, FileFormatError: as `recipe_of_run` does.

    Example:

    ```python
    from tf_bertembed import models, tasks, text
    from tf_bertembed.training import recipes

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "good", "bad"])
    backbone = models.BertEmbedBackbone(7, 1, 2, 8, 16, max_sequence_length=16)
    preprocessor = text.Preprocessor(tokenizer, sequence_length=16)
    tasks.TextClassifier(backbone, ["no", "yes"], preprocessor).save_to_preset("run")
    recipe, task = recipes.load_run("run")
    assert recipe.name == "classification" and task.labels == ["no", "yes"]
    ```
    """
    recipe = recipe_of_run(folder)
    trained = Path(folder) / TRAINING
    if trained.exists():
        recipe.read_as(read_json(trained).get("recipe_options") or {})
    *_, task = KINDS[recipe.name]
    with telling_damage(folder, "RUN"):
        return recipe, getattr(tasks, task).from_preset(folder)
