"""What surrounds `fit`: the optimizer's recipe, the folder of a run; training word vectors."""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "FitSettings": "fine_tuning.settings",
        "GradualUnfreezing": "freezing",
        "KeepOnDisk": "keep_on_disk",
        "LinearWarmup": "schedule",
        "ModelStart": "fine_tuning.start",
        "ProgressBar": "progress_bar",
        "count_trainable": "freezing",
        "create_optimizer": "optimizer",
        "evaluate_run": "using_runs",
        "fine_tune": "fine_tuning.driver",
        "plot_history": "history",
        "predict_file": "using_runs",
        "save_history": "history",
        "save_run": "run_folder",
        "set_trainable": "freezing",
        "train_glove": "glove",
        "train_vectors": "word_vectors",
    },
)
