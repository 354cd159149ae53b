"""What surrounds `fit`: the optimizer's recipe, the folder of a run; training word vectors."""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "LinearWarmup": "schedule",
        "ProgressBar": "progress_bar",
        "create_optimizer": "optimizer",
        "plot_history": "history",
        "save_history": "history",
        "save_run": "run_folder",
        "train_glove": "glove",
        "train_vectors": "word_vectors",
    },
)
