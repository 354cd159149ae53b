"""Google's BERT checkpoints with the heads that they were pretrained with."""

from tf_bertembed.common import FileFormatError
from tf_bertembed.models import load_tokenizer
from tf_bertembed.models.google import read_google
from tf_bertembed.models.tensors import assign_slots
from tf_bertembed.models.tensors_file import MASKED_LM_BIAS
from tf_bertembed.tasks.huggingface import NEXT_SENTENCE, pretraining_slots
from tf_bertembed.tasks.pretrainer import Pretrainer
from tf_bertembed.text import Preprocessor


def load_google(folder, lowercase=None, sequence_length=None, activation=None, **overrides):
    """Load Google's BERT checkpoint of TensorFlow 1 with its heads.

    The heads of masked words and, where it is there, of next sentences, whose
    two classes change places: here 1 means that the second text follows. The
    head of masked words has the activation of the encoder; see
    `models.load_google`.

    Args:
        folder: string or `pathlib.Path`. The folder, with `vocab.txt`.
        lowercase: bool. Whether the tokenizer lower-cases; `None` to take it
            from the folder, see `models.load_tokenizer`.
        sequence_length: int. The preprocessor's; `None` for the length of
            the position table.
        activation: string. See `models.load_google`.
        **overrides: `dtype`, `dropout` and `name` of the backbone.

    Returns:
        A `Pretrainer`.

    Raises:
        MissingFileError: where the folder or a needed file is missing.
        FileFormatError: where a file is broken, there is no head of masked
            words, or a tensor is missing or of the wrong shape (the message
            names it).

    Example:

    ```python
    import pathlib
    from tf_bertembed import common, tasks

    pathlib.Path("uncased_L-12_H-768_A-12").mkdir()
    try:
        tasks.load_google("uncased_L-12_H-768_A-12")
    except common.MissingFileError as error:
        assert "bert_config.json" in str(error)
    ```

    Source:
        `run_pretraining.py` of https://github.com/google-research/bert.
    """
    backbone, source = read_google(folder, activation, **overrides)
    if MASKED_LM_BIAS not in source:
        raise FileFormatError(
            source.path,
            f"The tensor {source.stored_name(MASKED_LM_BIAS)} is missing: there is no head of "
            "masked words. `models.load_google` loads the encoder alone.",
        )
    preprocessor = Preprocessor(
        load_tokenizer(folder, lowercase), sequence_length or backbone.max_sequence_length
    )
    next_sentence = f"{NEXT_SENTENCE}.weight" in source
    task = Pretrainer(backbone, preprocessor, next_sentence=next_sentence)
    assign_slots(pretraining_slots(task), source)
    return task
