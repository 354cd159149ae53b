"""The weights that both sides start from, as folders that both can read."""

import keras

from tf_bertembed import models, text, vectors

VOCABULARY = 8000
LAYERS, HEADS, WIDTH = 2, 4, 128


def start_of(cell, rows, data, folder):
    """The folder of a cell's weights; a small BERT is made where it is not there yet.

    Args:
        cell: a `plan.Cell`.
        rows: function that answers all the rows that the vocabulary is learnt from.
        data: `pathlib.Path`. The development data.
        folder: `pathlib.Path`. Where small BERTs are kept.
    """
    setting = cell.setting
    if setting.weights not in ("cold", "warm"):
        return models.find_checkpoint(setting.weights)
    place = folder / f"{cell.data}-{setting.weights}-{cell.seed}"
    if not place.exists():
        texts = [_text(row[0], setting.kind) for row in rows()]
        vocabulary = text.train_vocabulary(texts, VOCABULARY)
        keras.utils.set_random_seed(cell.seed)
        backbone = models.BertEmbedBackbone(
            vocabulary_size=len(vocabulary),
            num_layers=LAYERS,
            num_heads=HEADS,
            hidden_dim=WIDTH,
            intermediate_dim=4 * WIDTH,
            max_sequence_length=setting.sequence_length,
        )
        if setting.weights == "warm":
            loaded = vectors.load(vector_source(setting, data))
            alignment = vectors.align(loaded, vocabulary)
            models.warm_start(backbone, alignment.matrix, scale="own")
        place.parent.mkdir(parents=True, exist_ok=True)
        tokenizer = text.BertEmbedTokenizer(vocabulary)
        models.save_huggingface(backbone, place, tokenizer)
    return place


def vector_source(setting, data):
    """The name of the setting's word vectors, or their path."""
    return data / setting.vectors if "/" in setting.vectors else setting.vectors


def _text(item, kind):
    return " ".join(item) if kind == "tagging" else item
