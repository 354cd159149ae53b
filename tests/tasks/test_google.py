import numpy as np
import pytest

from tf_bertembed import tasks
from tf_bertembed.common import FileFormatError


@pytest.fixture(scope="module")
def variables(google_checkpoints):
    return google_checkpoints.google_variables()


@pytest.fixture(scope="module")
def folder(google_checkpoints, variables, tmp_path_factory):
    place = tmp_path_factory.mktemp("google") / "uncased_L-2_H-8_A-2"
    return google_checkpoints.write_google(place, variables)


@pytest.fixture(scope="module")
def pretrainer(folder):
    return tasks.load_google(folder)


@pytest.fixture(scope="module")
def batch():
    random = np.random.default_rng(1)
    return {
        "token_ids": random.integers(5, 20, (2, 12)).astype("int32"),
        "segment_ids": random.integers(2, size=(2, 12)).astype("int32"),
        "padding_mask": np.ones((2, 12), bool),
        "mask_positions": np.array([[1, 4, 0], [11, 2, 2]], "int32"),
    }


def test_the_heads_give_the_numbers_of_googles_code(pretrainer, variables, batch):
    """`get_masked_lm_output` and `get_next_sentence_output` of run_pretraining.py, in NumPy."""
    outputs = pretrainer(batch)
    encoded = pretrainer.backbone({k: v for k, v in batch.items() if k != "mask_positions"})
    sequence = np.asarray(encoded["sequence_output"], "float64")
    x = np.take_along_axis(sequence, batch["mask_positions"][..., None], axis=1)
    transform = "cls/predictions/transform"
    x = x @ variables[f"{transform}/dense/kernel"] + variables[f"{transform}/dense/bias"]
    x = 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
    x = x * variables[f"{transform}/LayerNorm/gamma"] + variables[f"{transform}/LayerNorm/beta"]
    logits = x @ variables["bert/embeddings/word_embeddings"].T
    logits = logits + variables["cls/predictions/output_bias"]
    np.testing.assert_allclose(
        outputs["masked_lm"], logits, rtol=0, atol=1e-5 * np.abs(logits).max()
    )
    pooled = np.asarray(encoded["pooled_output"], "float64")
    follows = pooled @ variables["cls/seq_relationship/output_weights"].T
    follows = follows + variables["cls/seq_relationship/output_bias"]
    # Google's class 0 is "follows", which is 1 here.
    np.testing.assert_allclose(outputs["next_sentence"], follows[:, ::-1], rtol=0, atol=1e-5)


def test_the_preprocessor(pretrainer, folder):
    assert pretrainer.preprocessor.sequence_length == 12
    assert pretrainer.preprocessor.tokenizer.lowercase
    other = tasks.load_google(folder, lowercase=False, sequence_length=8, activation="gelu")
    assert not other.preprocessor.tokenizer.lowercase
    assert other.preprocessor.sequence_length == 8
    assert other.backbone.activation == other.masked_lm_head.activation == "gelu"


def test_without_next_sentences(google_checkpoints, variables, tmp_path):
    kept = {n: v for n, v in variables.items() if "seq_relationship" not in n}
    assert not tasks.load_google(google_checkpoints.write_google(tmp_path, kept)).next_sentence


def test_without_a_head(google_checkpoints, variables, tmp_path):
    kept = {n: v for n, v in variables.items() if not n.startswith("cls/")}
    folder = google_checkpoints.write_google(tmp_path, kept)
    with pytest.raises(FileFormatError, match=r"cls/predictions/output_bias is missing: there is"):
        tasks.load_google(folder)


def test_a_missing_tensor_of_a_head(google_checkpoints, variables, tmp_path):
    name = "cls/predictions/transform/LayerNorm/gamma"
    kept = {n: v for n, v in variables.items() if n != name}
    folder = google_checkpoints.write_google(tmp_path, kept)
    with pytest.raises(FileFormatError, match=f"The tensor {name} is missing"):
        tasks.load_google(folder)
