import json
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_bertembed import export, models, tasks, text
from tf_bertembed.common import BertEmbedError

FUSED = {"input_fusion": "add", "output_fusion": "concat"}
LENGTH = 64
LABELS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
TEXTS = [
    "A good film, Ada's 1st.",
    "我住在北京，今天。",
    "👍🏽 caf\u00e9 cafe\u0301 naïve \u200b x",
    "",
    " \u3000 ",
    "It rained, and the match was called off before half-time. " * 6,
]


def logits_of(task, x):
    """Logits without the tracing that `predict` begins with."""
    return task(task.preprocess_samples(x)).numpy()


@pytest.fixture(scope="module")
def sentences(reviews):
    """Words of real sentences; capitals by chance serve as entities."""
    rng = np.random.default_rng(0)
    words = [sentence.split()[: rng.integers(3, 12)] for sentence in reviews[0][:16]]
    return words, [[LABELS[len(word) % 5] for word in row] for row in words]


@pytest.fixture(scope="module")
def make_tagger(make_backbone, tokenizer, words):
    def make(labels=LABELS, split="punctuation", **arguments):
        backbone = make_backbone(max_sequence_length=LENGTH, **arguments)
        table = words if backbone.static_embedding is not None else None
        preprocessor = text.TaggingPreprocessor(tokenizer, LENGTH, table, split=split)
        tagger = tasks.TokenClassifier(backbone, labels, preprocessor)
        tagger.compile("adam", run_eagerly=True)
        return tagger

    return make


@pytest.fixture(scope="module")
def trained(make_tagger, sentences):
    """A tagger that gives several tags; no test changes it."""
    tagger = make_tagger(**FUSED)
    tagger.optimizer.learning_rate = 0.01
    tagger.fit(*sentences, batch_size=8, epochs=3, verbose=0)
    return tagger


def test_loss_and_accuracy_are_means_over_words(trained, sentences):
    words, tags = sentences
    result = trained.evaluate(words, tags, batch_size=16, return_dict=True, verbose=0)
    logits = logits_of(trained, words).astype("float64")
    likelihoods, right = [], []
    for row, expected in zip(logits, tags, strict=True):
        for word, tag in zip(row[: len(expected)], expected, strict=True):
            shares = np.exp(word - word.max()) / np.exp(word - word.max()).sum()
            likelihoods.append(-np.log(shares[LABELS.index(tag)]))
            right.append(LABELS[word.argmax()] == tag)
    assert len(right) == sum(map(len, words))
    assert result["loss"] == pytest.approx(np.mean(likelihoods), rel=1e-5)
    assert result["accuracy"] == pytest.approx(np.mean(right), rel=1e-6)


def test_the_first_piece_carries_the_label_in_every_window(trained, sentences):
    rows = [*sentences[0][:3], ["good", "film"] * 60, sentences[0][3]]
    features = {name: values.numpy() for name, values in trained.preprocessor(rows).items()}
    assert features["window_counts"].tolist()[3] > 2
    vectors = trained.backbone(trained.inputs_of(features))["sequence_output"].numpy()
    kernel, bias = trained.output_dense.get_weights()
    logits = logits_of(trained, rows)
    first = np.cumsum([0, *features["window_counts"]])
    for row, places in enumerate(features["word_places"]):
        of_text = vectors[first[row] : first[row + 1]].reshape(-1, vectors.shape[-1])
        expected = of_text[places[places >= 0]] @ kernel + bias
        assert len(expected) == len(rows[row])
        np.testing.assert_allclose(logits[row, : len(expected)], expected, atol=1e-5)


def test_padding_changes_nothing(trained, sentences):
    words = [*sentences[0], ["good"] * 50]
    together = trained.predict(words, batch_size=5, verbose=0)
    assert together.shape == (17, 50, len(LABELS))
    for row in (0, 3, 7, 16):
        alone = logits_of(trained, [words[row]])[0]
        np.testing.assert_allclose(together[row, : len(words[row])], alone, atol=2e-6)
        assert not together[row, len(words[row]) :].any()


def test_exported_answers_are_those_in_memory(trained, tmp_path):
    path = export.export_saved_model(trained, tmp_path / "tagger")
    assert export.verify(path).ok
    served = tf.saved_model.load(str(path)).signatures["serving_default"](text=tf.constant(TEXTS))
    served = {name: values.numpy() for name, values in served.items()}
    answers = trained.answer(TEXTS, batch_size=4)
    json.dumps(answers)
    assert sum(len(answer["entities"]) for answer in answers) > 3
    for row, (string, answer) in enumerate(zip(TEXTS, answers, strict=True)):
        count = len(answer["words"])
        for name in ("words", "tags"):
            assert [value.decode() for value in served[name][row, :count]] == answer[name]
            assert not any(served[name][row, count:])
        for name in ("starts", "ends"):
            assert served[name][row, :count].tolist() == answer[name]
            assert (served[name][row, count:] == -1).all()
        np.testing.assert_allclose(served["scores"][row, :count], answer["scores"], atol=1e-6)
        places = zip(answer["starts"], answer["ends"], strict=True)
        assert [string[start:end] for start, end in places] == answer["words"]
        number = len(answer["entities"])
        assert not any(served["entities"][row, number:])
        for place, entity in enumerate(answer["entities"]):
            assert string[entity["start"] : entity["end"]] == entity["text"]
            assert served["entities"][row, place].decode() == entity["text"]
            assert served["entity_labels"][row, place].decode() == entity["label"]
            assert served["entity_starts"][row, place] == entity["start"]
            assert served["entity_ends"][row, place] == entity["end"]
            assert served["entity_scores"][row, place] == pytest.approx(entity["score"], abs=1e-6)


@pytest.mark.slow
def test_entities_stand_where_their_words_do(trained, sentences):
    for answer, words in zip(trained.answer(sentences[0]), sentences[0], strict=True):
        joined = " ".join(words)
        assert answer["words"] == words
        for entity in answer["entities"]:
            inside = [
                score
                for start, score in zip(answer["starts"], answer["scores"], strict=True)
                if entity["start"] <= start < entity["end"]
            ]
            assert joined[entity["start"] : entity["end"]] == entity["text"]
            assert entity["score"] == pytest.approx(np.mean(inside), rel=1e-5)


@pytest.mark.slow
def test_other_tags_have_no_entities(make_tagger):
    tagger = make_tagger(["NOUN", "VERB"], split="characters")
    (answer,) = tagger.answer(["我们 a"])
    assert answer["words"] == ["我", "们", "a"]
    assert not tagger.has_entities
    assert set(answer) == {"words", "tags", "scores", "starts", "ends"}
    served = tagger.signatures()["serving_default"](tagger.preprocessor(["我们 a"]))
    assert set(served) == set(answer)


def check_copy(again, trained):
    assert type(again) is tasks.TokenClassifier
    assert again.labels == LABELS
    assert again.preprocessor.split == "punctuation"
    np.testing.assert_array_equal(logits_of(again, TEXTS), logits_of(trained, TEXTS))


def test_preset_round_trip(trained, tmp_path):
    trained.save_to_preset(str(tmp_path))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        check_copy(tasks.TokenClassifier.from_preset(tmp_path), trained)


@pytest.mark.slow
def test_keras_file_round_trip(trained, tmp_path):
    trained.save(tmp_path / "task.keras")
    again = keras.saving.load_model(tmp_path / "task.keras")
    check_copy(again, trained)
    assert int(again.optimizer.iterations) == 6


@pytest.mark.slow
def test_a_preset_is_an_encoder(trained, tmp_path):
    trained.save_to_preset(str(tmp_path))
    assert models.load(tmp_path).hidden_dim == trained.backbone.hidden_dim
    parts = trained.preprocessor
    plain = text.Preprocessor(parts.tokenizer, LENGTH, parts.static_words)
    encoded = models.load_encoder(tmp_path).encode(TEXTS)
    expected = models.TextEncoder(trained.backbone, plain).encode(TEXTS)
    np.testing.assert_allclose(encoded, expected, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_stays_near(dtype, make_tagger, trained, sentences):
    half = make_tagger(dtype=dtype, **FUSED)
    half.set_weights(trained.get_weights())
    expected, logits = (logits_of(task, sentences[0]) for task in (trained, half))
    distance = np.abs(logits - expected).max() / np.abs(expected).max()
    assert 0 < distance < (1e-2 if dtype == "mixed_float16" else 1e-1)
    history = half.fit(*sentences, batch_size=8, verbose=0)
    assert np.isfinite(history.history["loss"][0])


@pytest.mark.slow
def test_what_is_trained_gets_a_gradient_and_the_rest_no_warning(make_tagger, sentences):
    tagger = make_tagger(**FUSED)
    before = [variable.numpy() for variable in tagger.trainable_variables]
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        tagger.fit(*sentences, batch_size=8, verbose=0)
    for variable, old in zip(tagger.trainable_variables, before, strict=True):
        assert np.abs(variable.numpy() - old).max() > 0, variable.path
    assert not any("pooler" in variable.path for variable in tagger.trainable_variables)


def test_word_vectors_change_the_tags_of_their_words(trained, sentences, words):
    known, unknown = [words[5]], ["qqxzj"]
    kept = trained.backbone.static_embedding.get_weights()
    before = [logits_of(trained, [row]) for row in (known, unknown)]
    trained.backbone.set_static_vectors(kept[0] * -1.0)
    after = [logits_of(trained, [row]) for row in (known, unknown)]
    trained.backbone.set_static_vectors(kept[0])
    assert np.abs(after[0] - before[0]).max() > 1e-3
    np.testing.assert_array_equal(after[1], before[1])


@pytest.mark.slow
def test_ready_features_datasets_and_ints_train_as_words_do(make_tagger, make_backbone, sentences):
    words, tags = (rows[:8] for rows in sentences)
    base = make_tagger()
    weights = base.get_weights()
    expected = base.fit(words, tags, batch_size=8, shuffle=False, verbose=0).history["loss"]
    numbers = base.encode_labels(tags)
    features = base.preprocess_samples(tf.ragged.constant(words))
    bare = tasks.TokenClassifier(make_backbone(max_sequence_length=LENGTH), LABELS)
    bare.compile("adam", run_eagerly=True)
    dataset = tf.data.Dataset.from_tensors((tf.ragged.constant(words), tf.ragged.constant(tags)))
    for task, x, y in (
        (bare, features, numbers.to_tensor(-1).numpy()),
        (bare, features, tags),
        (base, dataset, None),
    ):
        task.set_weights(weights)
        size = {} if y is None else {"batch_size": 8}
        history = task.fit(x, y, shuffle=False, verbose=0, **size).history["loss"]
        # Dropout draws anew.
        assert history == pytest.approx(expected, rel=0.1)
    assert bare.predict(features, verbose=0).shape == (8, max(map(len, words)), len(LABELS))


@pytest.mark.slow
def test_weights_of_classes_and_texts(make_tagger, sentences):
    words, tags = (rows[:8] for rows in sentences)
    tagger = make_tagger(dropout=0.0)
    tagger.output_dropout.rate = 0.0
    tagger.compile(keras.optimizers.SGD(0.0), run_eagerly=True)

    def loss(**arguments):
        return tagger.fit(words, tags, batch_size=8, verbose=0, **arguments).history["loss"][0]

    logits = logits_of(tagger, words).astype("float64")
    shares = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    terms = [
        [-np.log(shares[i, j, LABELS.index(tag)]) for j, tag in enumerate(row)]
        for i, row in enumerate(tags)
    ]
    of_class = [[3.0 if tag == "B-PER" else 1.0 for tag in row] for row in tags]
    number = sum(map(len, tags))

    def weighted(weights):
        pairs = zip(map(np.array, terms), map(np.array, weights), strict=True)
        return sum((term * weight).sum() for term, weight in pairs) / number

    assert loss() == pytest.approx(weighted([[1.0] * len(row) for row in tags]), rel=1e-5)
    assert loss(class_weight={"B-PER": 3.0}) == pytest.approx(weighted(of_class), rel=1e-5)
    by_text = np.arange(8.0)
    rows = [[weight] * len(row) for weight, row in zip(by_text, tags, strict=True)]
    assert loss(sample_weight=by_text) == pytest.approx(weighted(rows), rel=1e-5)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([["a", "b"]], [["O"]], "One tag for each word.* 2 words and 1 tags for text 0"),
        (["a b, c"], [["O"] * 3], "Received: 4 words and 3 tags for text 0"),
        ([["a"]], [["X"]], r"does not know: \['X'\]"),
        ([["a"]], ["O"], "A list of tags was expected for each text. Received: 'O' for text 0"),
        ([["a"]], [["O"], ["O"]], "Received: 1 and 2"),
        ([["a", 1]], [["O", "O"]], "Words must be strings. Received: 1 in text 0"),
        (["a", None], [["O"], ["O"]], "Row 1 holds None"),
        ([["a"]], None, "need labels"),
    ],
)
def test_what_cannot_be_trained_on(trained, x, y, message):
    with pytest.raises(BertEmbedError, match=message):
        trained.fit(x, y, verbose=0)


@pytest.mark.slow
def test_an_unknown_tag_in_a_dataset(trained):
    batch = tf.ragged.constant([["a"]]), tf.ragged.constant([["X"]])
    with pytest.raises(tf.errors.InvalidArgumentError, match="does not know"):
        trained.evaluate(tf.data.Dataset.from_tensors(batch), verbose=0)
    with pytest.raises(BertEmbedError, match="need tags"):
        trained.evaluate(tf.data.Dataset.from_tensors(batch[0]), verbose=0)


def test_a_preprocessor_that_knows_no_words(make_backbone, preprocessor):
    with pytest.raises(BertEmbedError, match="Received: Preprocessor"):
        tasks.TokenClassifier(make_backbone(), LABELS, preprocessor)


@pytest.mark.slow
def test_transformers_has_the_same_logits_and_gives_the_model_back(
    transformers, make_tagger, sentences, tmp_path
):
    import torch

    tagger = make_tagger()
    tasks.save_huggingface(tagger, tmp_path / "hf")
    other = transformers.BertForTokenClassification.from_pretrained(tmp_path / "hf").eval()
    assert [other.config.id2label[number] for number in range(5)] == LABELS
    features = tagger.preprocessor(sentences[0])
    assert features["window_counts"].numpy().max() == 1
    with torch.no_grad():
        pieces = other(
            input_ids=torch.tensor(features["token_ids"].numpy()),
            attention_mask=torch.tensor(features["padding_mask"].numpy()),
        ).logits.numpy()
    places = features["word_places"].numpy()
    expected = np.take_along_axis(pieces, np.maximum(places, 0)[..., None], axis=1)
    expected[places < 0] = 0
    found = logits_of(tagger, sentences[0])
    assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()
    again = tasks.load_huggingface(tmp_path / "hf")
    assert type(again) is tasks.TokenClassifier
    again.preprocessor.split = "punctuation"
    np.testing.assert_allclose(logits_of(again, sentences[0]), found, atol=1e-6)
