import keras
import numpy as np
import pytest

from tf_bertembed import models, text
from tf_bertembed.common import BertEmbedError, MissingFileError

WORDS = [f"w{index}" for index in range(50)]


@pytest.fixture(scope="module")
def encoder():
    keras.utils.set_random_seed(0)
    vocabulary = [*text.SPECIAL_TOKENS, *WORDS]
    backbone = models.BertEmbedBackbone(len(vocabulary), 2, 2, 16, 32)
    preprocessor = text.Preprocessor(text.BertEmbedTokenizer(vocabulary), 512)
    return models.TextEncoder(backbone, preprocessor)


@pytest.fixture(scope="module")
def mixed():
    """Texts of 8 to 512 pieces, shuffled."""
    rng = np.random.default_rng(0)
    sizes = np.linspace(6, 510, 600).astype(int)
    rng.shuffle(sizes)
    return [" ".join(rng.choice(WORDS, size)) for size in sizes]


def near(got, expected):
    return np.abs(got - expected).max() / np.abs(expected).max() <= 1e-5


def alone(encoder, texts):
    """Each text by itself, and pooled in NumPy."""
    states = [
        encoder.backbone(encoder.preprocessor([one]), training=False)["sequence_output"].numpy()
        for one in texts
    ]
    return np.array([one[0].mean(axis=0) for one in states])


def test_rows_in_the_callers_order_whatever_the_streams(encoder, mixed):
    some = mixed[:16]
    expected = alone(encoder, some)
    for streams in (None, 1, 2, 3):
        vectors = encoder.encode(some, batch_size=3, streams=streams)
        assert vectors.dtype == "float32"
        assert near(vectors, expected)


def test_hardly_any_padding_and_a_bound_on_every_batch(encoder, mixed):
    batches = encoder.batches(mixed, batch_size=32, max_pieces=2048)
    lengths = np.array([len(one.split()) + 2 for one in mixed])
    padded = [len(rows) * lengths[rows].max() for rows in batches]
    assert sorted(np.concatenate(batches)) == list(range(len(mixed)))
    assert max(padded) <= 2048
    assert max(map(len, batches)) <= 32
    assert 1 - lengths.sum() / sum(padded) <= 0.05


def test_the_budget_holds_whatever_the_preprocessor_pads_to(encoder, mixed):
    padded = text.Preprocessor(encoder.preprocessor.tokenizer, 512, padding="max_length")
    other = models.TextEncoder(encoder.backbone, padded)
    assert other.preprocessor(["w1", "w1 w2"])["token_ids"].shape == (2, 4)
    assert near(other.encode(mixed[:5]), encoder.encode(mixed[:5]))


def test_one_trace_for_every_shape(encoder, mixed):
    encoder.encode(mixed[:40])
    traces = encoder._vectors.traced().experimental_get_tracing_count()
    encoder.encode(mixed[40:80], batch_size=3)
    encoder.encode(["w1"])
    encoder.encode([""])
    assert encoder._vectors.traced().experimental_get_tracing_count() == traces == 1


def test_windows_of_a_long_list_keep_their_rows(encoder, mixed, monkeypatch):
    expected = encoder.encode(mixed[:30])
    monkeypatch.setattr("tf_bertembed.models.text_encoder.WINDOW", 7)
    assert near(encoder.encode(mixed[:30]), expected)


def test_no_texts(encoder):
    assert encoder.encode([]).shape == (0, 16)


def test_normalized_prompted_and_lower_cased(encoder):
    parts = (encoder.backbone, encoder.preprocessor)
    plain = encoder.encode(["w1 w2"])
    unit = models.TextEncoder(*parts, normalize=True).encode(["w1 w2"])
    assert near(unit, plain / np.linalg.norm(plain))
    assert near(models.TextEncoder(*parts, prompt="w1 ").encode(["w2"]), plain)
    cased = text.Preprocessor(
        text.BertEmbedTokenizer(encoder.preprocessor.tokenizer.get_vocabulary(), lowercase=False)
    )
    lowered = models.TextEncoder(encoder.backbone, cased, lowercase=True)
    assert near(lowered.encode(["W1 w2"]), plain)


@pytest.mark.parametrize(
    ("texts", "arguments", "message"),
    [
        (["a"], {"streams": 0}, r"`streams` must be an int of at least 1\. Received: 0"),
        (["a"], {"batch_size": 0}, r"`batch_size` must be an int of at least 1\. Received: 0"),
        (["a"], {"max_pieces": 0}, r"`max_pieces` must be an int of at least 1\. Received: 0"),
        ("a text", {}, "not one text"),
        (["a", None], {}, "Row 1 holds None"),
    ],
)
def test_what_cannot_be_encoded(encoder, texts, arguments, message):
    with pytest.raises(BertEmbedError, match=message):
        encoder.encode(texts, **arguments)


def test_an_error_in_one_stream_ends_the_others(encoder):
    from tf_bertembed.models.batch_runs import encode_batches

    done = []

    def function(texts):
        if texts[0] == "w3":
            raise BertEmbedError("broken")
        done.append(texts)
        return encoder._vectors(texts)

    texts = [*WORDS] * 10
    rows = [np.array([row]) for row in range(len(texts))]
    with pytest.raises(BertEmbedError, match="broken"):
        encode_batches(function, texts, rows, 2)
    assert len(done) < 100


@pytest.mark.slow
def test_a_published_folder_says_how_it_is_used():
    encoder = models.load_encoder("all-minilm-l6-v2")
    assert encoder.preprocessor.sequence_length == 256
    vectors = encoder.encode(["A cat.", "The tax law of 1913."])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    own = models.load_encoder("all-minilm-l6-v2", normalize=False, sequence_length=300)
    assert own.preprocessor.sequence_length == 300
    assert np.linalg.norm(own.encode(["A cat."])) > 1.5


def test_settings_that_do_not_suit(encoder, tmp_path):
    tokenizer = encoder.preprocessor.tokenizer
    models.save_huggingface(encoder.backbone, tmp_path / "small", tokenizer)
    with pytest.raises(BertEmbedError, match=r"position table of .*Received: 513; at most: 512"):
        models.load_encoder(tmp_path / "small", sequence_length=513)
    for wrong in (0, 2.5, "x"):
        with pytest.raises(BertEmbedError, match=rf"`sequence_length` must be .*{wrong!r}"):
            models.load_encoder(tmp_path / "small", sequence_length=wrong)
    with pytest.raises(MissingFileError, match="nowhere does not exist"):
        models.load_encoder("nowhere")


def test_the_length_that_a_folder_states(encoder, tmp_path):
    tokenizer = encoder.preprocessor.tokenizer
    for stated, expected in ((16, 16), (None, 256)):
        folder = tmp_path / str(stated)
        models.save_huggingface(encoder.backbone, folder, tokenizer, sequence_length=stated)
        assert models.load_encoder(folder).preprocessor.sequence_length == expected


@pytest.mark.parametrize(
    ("layers", "weights", "shares"),
    [
        (0, None, {0: 1}),
        (-1, None, {2: 1}),
        ([0, -1], None, {0: 0.5, 2: 0.5}),
        (np.array([1, 2]), [1, 3], {1: 0.25, 2: 0.75}),
    ],
)
def test_the_states_of_layers(encoder, mixed, layers, weights, shares):
    backbone, preprocessor = encoder.backbone, encoder.preprocessor
    mixing = models.TextEncoder(backbone, preprocessor, layers=layers, layer_weights=weights)
    view = backbone.with_outputs(hidden_states=True)
    expected = []
    for one in mixed[:6]:
        states = view(preprocessor([one]), training=False)["hidden_states"]
        mean = sum(share * states[i].numpy().astype("float64") for i, share in shares.items())
        expected.append(mean[0].mean(axis=0))
    assert mixing.output_dim == 16
    assert near(mixing.encode(mixed[:6]), np.array(expected))


def test_layers_know_nothing_of_output_fusion(encoder, mixed):
    matrix = np.concatenate([np.zeros((1, 3)), np.ones((2, 3))])
    fused = models.with_fusion(encoder.backbone, matrix, output_fusion="concat")
    preprocessor = text.Preprocessor(encoder.preprocessor.tokenizer, 512, static_words=WORDS[:2])
    last = models.TextEncoder(fused, preprocessor, layers=-1)
    assert models.TextEncoder(fused, preprocessor).output_dim == 19
    assert last.output_dim == 16
    assert near(last.encode(mixed[:6]), encoder.encode(mixed[:6]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"layers": 3}, r"`layers` must be ints from -3 to 2 for 2 layers .* Received: \[3\]"),
        ({"layers": []}, r"`layers` must be ints .* Received: \[\]"),
        ({"layers": [1, -2]}, r"`layers` names a layer twice\. Received: \[1, -2\]"),
        ({"layers": [0, 1], "layer_weights": [1]}, r"`layer_weights` must be a number for each"),
        ({"layer_weights": [1]}, r"`layer_weights` needs `layers`"),
    ],
)
def test_layers_that_cannot_be(encoder, settings, message):
    with pytest.raises(BertEmbedError, match=message):
        models.TextEncoder(encoder.backbone, encoder.preprocessor, **settings)


def test_the_caller_may_be_told_of_progress(encoder, mixed):
    told = []
    encoder.encode(mixed[:20], batch_size=3, advance=told.append)
    assert sum(told) == 20
    assert max(told) <= 3
