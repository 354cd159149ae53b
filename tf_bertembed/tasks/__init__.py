"""A file a task: its head, loss and metrics over the backbone."""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "AdamW": "adamw",
        "Pretrainer": "pretrainer",
        "TextClassifier": "text_classifier",
        "export_checkpoint": "checkpoints",
        "import_checkpoint": "checkpoints",
        "load_google": "google",
        "load_huggingface": "huggingface",
        "save_huggingface": "huggingface",
        "transfer_checkpoint": "transfer",
        "transfer_task": "transfer",
    },
)
