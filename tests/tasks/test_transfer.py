import json

import numpy as np
import pytest
from gensim.models import KeyedVectors
from gensim.test.utils import datapath

from tf_bertembed import common, export, models, tasks, text, vectors


def same_weights(one, other):
    pairs = list(zip(one.weights, other.weights, strict=True))
    assert pairs
    return all(a.numpy().tobytes() == b.numpy().tobytes() for a, b in pairs)


@pytest.fixture(scope="module")
def pretrainer(make_backbone, preprocessor, examples):
    made = tasks.Pretrainer(make_backbone(), preprocessor, next_sentence=False)
    made.start_from_frequencies(examples(next_sentence=False).piece_counts())
    made.fit(examples(next_sentence=False).epoch(0).take(2), verbose=0)
    return made


@pytest.fixture(scope="module")
def run(pretrainer, tmp_path_factory):
    place = tmp_path_factory.mktemp("runs") / "run"
    pretrainer.save_to_preset(str(place))
    return place


@pytest.fixture(scope="module")
def glove():
    return vectors.load(datapath("test_glove.txt"))


def permuted(pieces, seed=0):
    order = [0, *np.random.default_rng(seed).permutation(np.arange(1, len(pieces)))]
    return order, [pieces[index] for index in order]


@pytest.mark.parametrize("tie_weights", [True, False])
def test_another_order_gives_the_same_logits(make_backbone, preprocessor, examples, tie_weights):
    task = tasks.Pretrainer(make_backbone(), preprocessor, tie_weights=tie_weights)
    task.masked_lm_head.output_bias.assign(np.random.default_rng(0).normal(size=(300,)))
    pieces = preprocessor.tokenizer.get_vocabulary()
    order, new = permuted(pieces)
    moved = tasks.transfer_task(task, vectors.mix_pieces(pieces, new, "random"))
    features = next(iter(examples().epoch(0)))[0]
    places = np.argsort(order).astype("int32")
    theirs = task.predict(features, verbose=0)
    ours = moved.predict({**features, "token_ids": places[features["token_ids"]]}, verbose=0)
    np.testing.assert_allclose(ours["masked_lm"], theirs["masked_lm"][..., order], atol=1e-6)
    np.testing.assert_array_equal(ours["next_sentence"], theirs["next_sentence"])


def test_the_rows_of_an_own_table_are_mixed_too(make_backbone, preprocessor):
    task = tasks.Pretrainer(make_backbone(), preprocessor, tie_weights=False)
    pieces = preprocessor.tokenizer.get_vocabulary()
    task.masked_lm_head.output_bias.assign(np.arange(300.0))
    mixture = vectors.mix_pieces(pieces, [*pieces, "ǆ", "thethethe"], "mean")
    assert mixture.ways[-2:] == ["random", "mean"]
    head = tasks.transfer_task(task, mixture).masked_lm_head
    sources = mixture.weights[-1].indices
    assert len(sources) > 1
    for name in ("output_bias", "output_embeddings"):
        old, new = np.asarray(getattr(task.masked_lm_head, name)), np.asarray(getattr(head, name))
        assert new[:300].tobytes() == old.tobytes()
        np.testing.assert_allclose(new[-1], old[sources].mean(axis=0), rtol=1e-5)
        assert not np.isclose(new[-2], old).any()


def test_biases_of_new_pieces_follow_from_their_counts(make_backbone, preprocessor):
    pieces = preprocessor.tokenizer.get_vocabulary()
    task = tasks.Pretrainer(make_backbone(vocabulary_size=304), preprocessor)
    old = np.random.default_rng(0).normal(-3, 2, 304).astype("float32")
    old[[0, 303]] = 1e6  # of a special token, and of no piece at all
    task.masked_lm_head.output_bias.assign(old)
    mixture = vectors.mix_pieces(pieces, [*pieces, "ǆ", "thethethe", "[unused7]"], "mean")
    assert mixture.ways[300:] == ["random", "mean", "random"]

    def moved(counts):
        return tasks.transfer_task(task, mixture, counts=counts).masked_lm_head.output_bias.numpy()

    counts = np.arange(303)
    made, mixed = moved(counts), moved(None)
    assert made[:300].tobytes() == mixed[:300].tobytes() == old[:300].tobytes()
    assert made[302] == mixed[302]
    logs = np.log(counts + 1.0)[5:302]
    expected = old[5:300].mean() + old[5:300].std() * (logs - logs.mean()) / logs.std()
    np.testing.assert_allclose(made[300:302], expected[-2:], rtol=1e-5)
    assert not np.isclose(made[300:302], mixed[300:302]).any()
    np.testing.assert_allclose(moved([7] * 303)[300:302], old[5:300].mean(), rtol=1e-5)


@pytest.mark.parametrize("counts", [[1, 2], [-1] * 300, [float("nan")] * 300])
def test_counts_that_do_not_fit(pretrainer, counts):
    pieces = pretrainer.preprocessor.tokenizer.get_vocabulary()
    mixture = vectors.mix_pieces(pieces, pieces, "mean")
    with pytest.raises(common.BertEmbedError, match="not below 0, for each of the 300 new pieces"):
        tasks.transfer_task(pretrainer, mixture, counts=counts)


def test_a_classifier_with_word_vectors(make_classifier, word_preprocessor, reviews):
    task = make_classifier(output_fusion="concat", input_fusion="add", pooling="mean")
    pieces = word_preprocessor.tokenizer.get_vocabulary()
    moved = tasks.transfer_task(task, vectors.mix_pieces(pieces, permuted(pieces)[1], "mean"))
    assert moved.preprocessor.static_words == word_preprocessor.static_words
    features = task.preprocessor(reviews[0][:5])
    np.testing.assert_allclose(moved(moved.preprocessor(reviews[0][:5])), task(features), atol=1e-6)


def test_the_same_vocabulary_is_the_identity(pretrainer, run, tmp_path):
    pieces = pretrainer.preprocessor.tokenizer.get_vocabulary()
    tasks.transfer_checkpoint(run, tmp_path / "moved", pieces, method="random")
    moved = tasks.Pretrainer.from_preset(str(tmp_path / "moved"))
    assert same_weights(moved, pretrainer)
    assert text.load_vocabulary(tmp_path / "moved" / "vocab.txt") == pieces


def test_a_run_is_extended_and_trains_on(run, reviews, examples, tmp_path, pretrainer):
    texts = reviews[0]
    report = tasks.transfer_checkpoint(run, tmp_path / "moved", size=40, corpus=texts)
    assert report["method"] == "focus"
    assert report["old_pieces"] == 300
    assert report["vocabulary_size"] == 340
    assert report["ways"]["copied"]["count"] == 300
    assert report["ways"]["mixed"]["count"] + report["ways"]["mean"]["count"] == 40
    shares = [row["occurrence_share"] for row in report["ways"].values()]
    assert sum(shares) == pytest.approx(1)
    assert report["before"]["words"] == report["after"]["words"]
    assert report["before"]["pieces_per_word"] > report["after"]["pieces_per_word"] > 1
    json.dumps(report)
    moved = tasks.Pretrainer.from_preset(str(tmp_path / "moved"))
    biases = moved.masked_lm_head.output_bias.numpy()
    counts = text.count_pieces(
        text.count_words(texts, moved.preprocessor.tokenizer), moved.preprocessor.tokenizer
    )
    assert biases[:300].tobytes() == pretrainer.masked_lm_head.output_bias.numpy().tobytes()
    assert (np.diff(biases[300:][np.argsort(counts[300:], kind="stable")]) >= -1e-6).all()
    assert (
        moved.preprocessor.tokenizer.get_vocabulary()[300:][: len(report["added"])]
        == (report["added"])
    )
    assert moved.preprocessor.sequence_length == pretrainer.preprocessor.sequence_length
    documents = [texts[i : i + 8] for i in range(0, len(texts), 8)]
    tokenizer = moved.preprocessor.tokenizer
    made = text.PretrainingExamples(documents, tokenizer, 24, 8, next_sentence=False)
    history = moved.fit(made.epoch(0).take(2), verbose=0).history
    assert np.isfinite(history["loss"]).all()


@pytest.mark.slow
def test_a_moved_model_is_written_for_others(run, reviews, tmp_path):
    vocabulary = text.train_vocabulary(reviews[0], 250)
    moved = tmp_path / "moved"
    report = tasks.transfer_checkpoint(run, moved, vocabulary, method="mean")
    assert report["task"] == "Pretrainer"
    assert report["ways"]["copied"]["count"] >= 200
    task = tasks.Pretrainer.from_preset(str(moved))
    tasks.export_checkpoint(moved, tmp_path / "theirs")
    there = tasks.load_huggingface(tmp_path / "theirs")
    features = task.preprocessor(reviews[0][:3])
    np.testing.assert_allclose(
        there.backbone(features)["sequence_output"],
        task.backbone(features)["sequence_output"],
        atol=1e-5,
    )


@pytest.mark.slow
def test_a_moved_model_is_exported(run, reviews, tmp_path):
    tasks.transfer_checkpoint(run, tmp_path / "moved", size=20, corpus=reviews[0], method="mean")
    task = tasks.Pretrainer.from_preset(str(tmp_path / "moved"))
    written = export.export_saved_model(task, tmp_path / "saved", examples=reviews[0][:2])
    assert export.verify(written).ok


@pytest.mark.slow
def test_a_published_encoder_keeps_its_pooling(tmp_path):
    moved = tmp_path / "moved"
    texts = ["Transthyretin tetramers and transthyretin amyloidosis"] * 2
    report = tasks.transfer_checkpoint(
        "all-minilm-l6-v2", moved, size=2, corpus=texts, method="mean"
    )
    assert report["added"] == ["transthyretin", "amyloidosis"]
    assert (report["pooling"], report["normalize"]) == ("mean", True)
    assert report["left_out"] == []
    source, encoder = models.load_encoder("all-minilm-l6-v2"), models.load_encoder(moved)
    other = ["A sentence without the new words."]
    np.testing.assert_allclose(encoder.encode(other), source.encode(other), atol=1e-6)


def test_another_case(run, tmp_path):
    old = tasks.Pretrainer.from_preset(str(run)).preprocessor.tokenizer.get_vocabulary()
    words = [piece for piece in old if piece.isalpha() and len(piece) > 2][:20]
    new = [*text.SPECIAL_TOKENS, *map(str.capitalize, words)]
    with pytest.warns(UserWarning, match="20 pieces of the new vocabulary have capitals"):
        tasks.transfer_checkpoint(run, tmp_path / "uncased", new, method="mean")
    report = tasks.transfer_checkpoint(run, tmp_path / "cased", new, method="mean", lowercase=False)
    assert report["ways"]["cased"]["count"] == 20
    assert report["lowercase"] is False


def keyed(*words):
    found = KeyedVectors(4)
    found.add_vectors(list(words), np.random.default_rng(0).normal(size=(len(words), 4)))
    return found


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"vocabulary": ["the", "a"]}, r'Cannot find the special token "\[PAD\]"'),
        ({"vocabulary": [*text.SPECIAL_TOKENS, "a", "a"]}, "The piece 'a' occurs 2 times"),
        ({"vocabulary": "vocab.txt"}, "vocab.txt does not exist. A vocabulary file is UTF-8"),
        ({"vocabulary": "new.txt", "size": 3}, "`size` is how many words to add .* size=3"),
        ({}, "What vocabulary to move to.* size=None, corpus=None"),
        ({"size": 3}, "What vocabulary to move to.* size=3, corpus=None"),
        ({"size": 3, "corpus": []}, "The corpus is empty: no word was found"),
        ({"size": 3, "corpus": ["zz zz"], "lowercase": False}, "keeps the case of the old one"),
        ({"vocabulary": [*text.SPECIAL_TOKENS, "λ"], "vectors": keyed("λ")}, "no piece in common"),
        ({"vocabulary": [*text.SPECIAL_TOKENS, "a"], "corpus": [""]}, "The corpus has no word"),
        (
            {"vocabulary": [*text.SPECIAL_TOKENS, "a"], "corpus": [""], "method": "mean"},
            "The corpus is empty",
        ),
        (
            {"vocabulary": [*text.SPECIAL_TOKENS, "a"], "method": "wechsel"},
            "needs word vectors of both languages",
        ),
        ({"vocabulary": [*text.SPECIAL_TOKENS, "a"], "vectors": "glove.txt"}, "given as a path"),
        ({"size": 3, "corpus": "corpus.txt"}, "`texts` must be a list of strings or of"),
    ],
)
def test_arguments_that_do_not_fit(arguments, message, run, tmp_path):
    with pytest.raises(common.BertEmbedError, match=message):
        tasks.transfer_checkpoint(run, tmp_path / "moved", **arguments)
    assert list(tmp_path.iterdir()) == []


def test_the_source_is_not_replaced(run, tmp_path):
    for overwrite in (True, False):
        with pytest.raises(common.BertEmbedError, match="is, or holds, what is to be read"):
            tasks.transfer_checkpoint(run, run, [], overwrite=overwrite)
    (tmp_path / "there").mkdir()
    with pytest.raises(common.OutputExistsError):
        tasks.transfer_checkpoint(run, tmp_path / "there", [])


def test_a_tokenizer_of_another_vocabulary(pretrainer, tokenizer):
    pieces = tokenizer.get_vocabulary()
    mixture = vectors.mix_pieces(pieces, pieces[:-1], "mean")
    with pytest.raises(common.BertEmbedError, match="one of 300 pieces, the mixture has 299"):
        tasks.transfer_task(pretrainer, mixture, tokenizer)
