"""Vectors of words in context: spans, pooling and layers, and the states of Hugging Face."""

import sys

import keras
import numpy as np
import pytest

from tf_bertembed import models, text
from tf_bertembed.common import BertEmbedError

TEXTS = ["Café naïve, unhappily!", "我住在 北京 🙂 caféd", "", "the " * 40]
PIECES = ["caf", "##e", "na", "##ive", ",", "un", "##happi", "##ly", "!", "我", "住", "在", "the"]
WORDS = [
    ["Café", "naïve", ",", "unhappily", "!"],
    ["我", "住", "在", "北", "京", "🙂", "caféd"],
    [],
    ["the"] * 18,
]


@pytest.fixture(scope="module")
def make_encoder():
    keras.utils.set_random_seed(0)
    vocabulary = [*text.SPECIAL_TOKENS, *PIECES, "##d"]
    backbone = models.BertEmbedBackbone(len(vocabulary), 2, 2, 16, 32)
    preprocessor = text.Preprocessor(text.BertEmbedTokenizer(vocabulary), 20)

    def make(**arguments):
        return models.WordEncoder(backbone, preprocessor, **arguments)

    return make


def states(encoder, one):
    """All hidden states of a text alone, without [CLS] and [SEP]: [L + 1, T, H] float64."""
    view = encoder.backbone.with_outputs(hidden_states=True)
    found = view(encoder.preprocessor([one]))["hidden_states"]
    return np.stack([state.numpy()[0, 1:-1] for state in found]).astype("float64")


# The pieces of each word of the first two texts.
CUTS = [[(0, 2), (2, 4), (4, 5), (5, 8), (8, 9)], [*((i, i + 1) for i in range(6)), (6, 9)]]


@pytest.mark.parametrize(
    "pooling",
    ["mean", *(pytest.param(name, marks=pytest.mark.slow) for name in ("first", "last"))],
)
def test_words_with_their_spans_and_vectors(pooling, make_encoder):
    encoder = make_encoder(pooling=pooling, layers=[0, -1], layer_weights=[1, 3])
    found = encoder.encode(TEXTS)
    assert [one.words for one in found] == WORDS
    for one, source in zip(found, TEXTS, strict=True):
        assert [source[begin:end] for begin, end in one.spans] == one.words
        assert one.vectors.shape == (len(one.words), 16)
        assert one.vectors.dtype == "float32"
    for one, source, cuts in zip(found, TEXTS, CUTS, strict=False):
        every = states(encoder, source)
        mixed = (every[0] + 3 * every[2]) / 4
        expected = {
            "mean": [mixed[begin:end].mean(0) for begin, end in cuts],
            "first": [mixed[begin] for begin, _ in cuts],
            "last": [mixed[end - 1] for _, end in cuts],
        }[pooling]
        np.testing.assert_allclose(one.vectors, expected, atol=1e-5)


def test_spans_are_code_points_of_the_original_text(make_encoder):
    encoder = make_encoder()
    words, chinese, *_ = encoder.encode(TEXTS)
    asked = [(0, 4), (12, 21), (5, 10)]
    found = encoder.encode_spans([TEXTS[0]] * 3, asked)
    np.testing.assert_allclose(found, words.vectors[[0, 3, 1]], atol=1e-5)
    beijing, smile = encoder.encode_spans([TEXTS[1]] * 2, [(4, 6), (7, 8)])
    np.testing.assert_allclose(beijing, chinese.vectors[3:5].mean(0), atol=1e-5)
    np.testing.assert_allclose(smile, chinese.vectors[5], atol=1e-5)
    # A part of a word: "happi" alone.
    (part,) = encoder.encode_spans([TEXTS[0]], [(14, 19)])
    np.testing.assert_allclose(part, states(encoder, TEXTS[0])[2][6], atol=1e-5)


def test_any_order_and_size_of_batches(make_encoder, monkeypatch):
    encoder = make_encoder(layers=[1, 2])
    together = encoder.encode(TEXTS * 3)
    monkeypatch.setattr("tf_bertembed.models.word_encoder.WINDOW", 2)
    for one, other in zip(encoder.encode(TEXTS * 3), together, strict=True):
        assert one.words == other.words
        np.testing.assert_allclose(one.vectors, other.vectors, atol=1e-5)


def test_what_is_refused(make_encoder):
    encoder = make_encoder()
    for texts, spans, message in (
        (["a"], [(0, 2)], r"within its text of 1 characters.*\(0, 2\) for text 0"),
        (["a", "b"], [(0, 1)], "1 spans for 2 texts"),
        (["a  b"], [(1, 3)], r"no piece in '  ', characters 1 to 3"),
        (["the " * 40], [(100, 103)], "lies behind the first 18 pieces"),
    ):
        with pytest.raises(BertEmbedError, match=message):
            encoder.encode_spans(texts, spans)
    with pytest.raises(BertEmbedError, match="not one text"):
        encoder.encode("a text")
    for arguments, message in (
        ({"layers": 3}, "from -3 to 2"),
        ({"layers": []}, "from -3 to 2"),
        ({"layers": [2, -1]}, "twice"),
        ({"layers": [0, 1], "layer_weights": [1]}, "`layer_weights`"),
        ({"layers": [0, 1], "layer_weights": [1, -1]}, "`layer_weights`"),
        ({"pooling": "max"}, "`pooling` must be one of"),
    ):
        with pytest.raises(BertEmbedError, match=message):
            make_encoder(**arguments)


@pytest.mark.slow
def test_the_states_of_hugging_face():
    sys.modules.setdefault("triton", None)
    import torch
    import transformers

    folder = models.find_checkpoint("all-minilm-l6-v2")
    theirs = transformers.AutoModel.from_pretrained(folder, output_hidden_states=True).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    texts = ["The naïve bankers misjudged Zürich's riverbanks.", "我住在北京 🙂 today."]
    for layers in (-1, 0, [-4, -3, -2, -1]):
        encoder = models.load_word_encoder(folder, layers=layers)
        for one, found in zip(texts, encoder.encode(texts), strict=True):
            batch = tokenizer(one, return_tensors="pt", return_offsets_mapping=True)
            offsets = batch.pop("offset_mapping")[0].tolist()
            with torch.no_grad():
                every = theirs(**batch).hidden_states
            chosen = [layers] if isinstance(layers, int) else layers
            mixed = torch.stack([every[layer][0] for layer in chosen]).mean(0).numpy()
            for (begin, end), vector in zip(found.spans, found.vectors, strict=True):
                places = [i for i, (a, b) in enumerate(offsets) if a < b and begin <= a < end]
                expected = mixed[places].mean(0)
                gap = np.abs(vector - expected).max() / np.abs(expected).max()
                assert gap < 1e-5, (one[begin:end], gap)
