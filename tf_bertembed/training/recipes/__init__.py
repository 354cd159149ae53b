"""One file a kind of task: from a data file to a trained task, its metrics and its answers."""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "ClassificationRecipe": "classification",
        "Examples": "base",
        "QuestionAnsweringRecipe": "question_answering",
        "Recipe": "base",
        "Report": "base",
        "SimilarityRecipe": "similarity",
        "TaggingRecipe": "tagging",
        "load_run": "registry",
        "make_recipe": "registry",
        "recipe_of_run": "registry",
    },
)
