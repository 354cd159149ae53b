"""What is compared: data sets, their caps, the forms of fusion, and the cells of the table."""

import dataclasses

MINILM = "all-minilm-l6-v2"
OURS, THEIRS = "tf_bertembed", "Hugging Face"


@dataclasses.dataclass(frozen=True)
class Setting:
    """How a data set is trained on, alike on both sides.

    Args:
        kind: string. The kind of task.
        rows: int. The most rows to train on.
        epochs: int. Passes over them.
        learning_rate: float. The highest.
        sequence_length: int. The most pieces of a text, or of a window.
        metric: string. What the table shows.
        test_rows: int. The most rows to judge by; 0 for all.
        weights: string. A checkpoint, or "scratch".
        vectors: string. Word vectors: a name, or a path under the data folder.
    """

    kind: str
    rows: int
    epochs: int
    learning_rate: float
    sequence_length: int
    metric: str
    test_rows: int = 0
    weights: str = MINILM
    vectors: str = "glove-6b-50d"
    batch_size: int = 32


CHINESE = "vectors/tencent-char-zh-200d.txt.gz"
SETTINGS = {
    "sst2": Setting("classification", 1000, 2, 1e-4, 64, "accuracy"),
    "trec": Setting("classification", 1000, 3, 1e-4, 32, "accuracy"),
    "stsb": Setting("similarity", 1000, 2, 1e-4, 64, "spearman"),
    "ud-ewt": Setting("tagging", 1000, 2, 2e-4, 64, "accuracy", 1000),
    # With fewer steps some seeds still answer "O" for every word.
    "wnut17": Setting("tagging", 1000, 3, 2e-4, 64, "f1", batch_size=16),
    # As many steps as two passes in batches of 32 would make, in half the time.
    "xquad": Setting("qa", 952, 1, 2e-4, 256, "f1", batch_size=16),
    "chnsenticorp": Setting(
        "classification", 2000, 3, 1e-3, 96, "accuracy", weights="warm", vectors=CHINESE
    ),
    "resume-ner": Setting("tagging", 1500, 4, 1e-3, 96, "f1", weights="warm", vectors=CHINESE),
}
FEW_STEPS = 60

# Ways of joining word vectors, as arguments of `models.with_fusion`; `head_factor` is how much
# faster than the encoder the head and the layers of fusion learn.
FORMS = {
    "none": {},
    "input add": {"input_fusion": "add"},
    "input gate": {"input_fusion": "gate"},
    "output concat": {"output_fusion": "concat"},
    "output gate": {"output_fusion": "gate"},
    "gate and concat": {"input_fusion": "gate", "output_fusion": "concat"},
    "add and concat": {"input_fusion": "add", "output_fusion": "concat"},
    "add and add": {
        "input_fusion": "add",
        "output_fusion": "add",
        "normalize_encoded": False,
    },
}
FORMS |= {
    f"{name}, {how}": FORMS[name] | more
    for name in ("input add", "input gate", "add and concat", "gate and concat", "add and add")
    for how, more in {
        "unit": {"static_normalize": "unit"},
        "standard": {"static_normalize": "standard"},
        "dropout 0.2": {"static_dropout": 0.2},
        "trained": {"static_trainable": True},
        "as it is": {"normalize_encoded": False},
        "standard, as it is": {"static_normalize": "standard", "normalize_encoded": False},
    }.items()
}
FORMS |= {
    f"{name}, head x 10": FORMS[name] | {"head_factor": 10.0}
    for name in ("none", "input gate", "output concat", "gate and concat, as it is")
}


@dataclasses.dataclass(frozen=True)
class Cell:
    """What tells one training from another."""

    data: str
    weights: str  # a checkpoint, "cold" or "warm" (a small BERT, random or started from vectors)
    per_class: int  # rows of each class to train on, where it has so many; 0 for all up to the cap
    side: str
    form: str
    seed: int

    @property
    def setting(self):
        """The data set's setting, adapted to the weights and to how few rows there are."""
        setting = SETTINGS[self.data]
        if self.weights != setting.weights and self.weights in ("cold", "warm"):
            setting = dataclasses.replace(setting, learning_rate=1e-3)
        if self.per_class:
            setting = dataclasses.replace(setting, batch_size=16)
        return dataclasses.replace(setting, weights=self.weights)


def epochs(setting, rows, per_class):
    """As many passes as the setting says; with few rows, as many as make `FEW_STEPS` steps."""
    steps = -(-rows // setting.batch_size)
    return max(setting.epochs, -(-FEW_STEPS // steps)) if per_class else setting.epochs
