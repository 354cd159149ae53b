"""Sentence encoders against sentence-transformers: scores, losses, gradients, and learning."""

import sys

import numpy as np
import pytest
import tensorflow as tf

from tf_bertembed import models, tasks, text

pytestmark = pytest.mark.slow

PAIRS = (
    ["A man is playing a guitar.", "The café is naïve.", "Shares fell.", "我住在北京 🙂"],
    [
        "Someone plays an instrument.",
        "A plane takes off.",
        "The market lost.",
        "It rained all day.",
    ],
)
SCORES = [0.9, 0.0, 0.7, 0.1]


@pytest.fixture(scope="module")
def theirs():
    sys.modules.setdefault("triton", None)
    import sentence_transformers

    folder = models.find_checkpoint("all-minilm-l6-v2")
    return sentence_transformers.SentenceTransformer(str(folder), device="cpu").eval()


def make_encoder(**arguments):
    backbone = models.load("all-minilm-l6-v2", dropout=0.0)
    tokenizer = models.load_tokenizer(models.find_checkpoint("all-minilm-l6-v2"))
    encoder = tasks.SentenceEncoder(
        backbone, text.Preprocessor(tokenizer, 256), normalize=True, **arguments
    )
    encoder.compile(run_eagerly=True)
    return encoder


def their_loss(theirs, name, labels, weights=None):
    import torch
    from sentence_transformers.sentence_transformer import losses

    theirs.zero_grad()
    if name == "SoftmaxLoss":
        loss = losses.SoftmaxLoss(theirs, 384, 3)
        with torch.no_grad():
            loss.classifier.weight.copy_(torch.tensor(weights[0].T.copy()))
            loss.classifier.bias.copy_(torch.tensor(weights[1]))
    else:
        loss = getattr(losses, name)(theirs)
    features = [theirs.preprocess(side) for side in PAIRS]
    value = loss(features, labels)
    value.backward()
    named = dict(theirs[0].auto_model.named_parameters())
    return value.item(), {
        "embeddings": named["embeddings.word_embeddings.weight"].grad.numpy(),
        "output": named["encoder.layer.5.output.dense.weight"].grad.numpy().T,
    }


@pytest.mark.parametrize(
    ("objective", "name"),
    [
        ("cosine", "CosineSimilarityLoss"),
        ("ranking", "MultipleNegativesRankingLoss"),
        ("softmax", "SoftmaxLoss"),
    ],
)
def test_losses_and_gradients(objective, name, theirs):
    import torch

    labels, weights, arguments = torch.tensor(SCORES), None, {}
    y = SCORES
    if objective == "softmax":
        labels, y, arguments = torch.tensor([2, 0, 1, 1]), [2, 0, 1, 1], {"labels": ["a", "b", "c"]}
    encoder = make_encoder(objective=objective, **arguments)
    if objective == "softmax":
        weights = encoder.pair_dense.get_weights()
    expected, gradients = their_loss(theirs, name, labels, weights)
    features, y = encoder.preprocess_samples(tuple(map(tf.constant, PAIRS)), y=np.array(y))
    with tf.GradientTape() as tape:
        loss = encoder.compute_loss(features, y, encoder(features, training=True))
    last = encoder.backbone.transformer_layers[-1]
    variables = [encoder.backbone.token_embedding.embeddings, last.output_dense.kernel]
    found = [tf.convert_to_tensor(part).numpy() for part in tape.gradient(loss, variables)]
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    for ours, other in zip(found, gradients.values(), strict=True):
        gap = np.abs(ours - other).max() / np.abs(other).max()
        print(f"{objective}: loss {float(loss):.6f}, gradients differ by {gap:.1e}")
        assert gap < 1e-4


def test_scores_on_the_english_sts_benchmark(theirs, development_data):
    (first, second), scores = text.read_labelled(development_data / "stsb-en" / "test.tsv")
    a, b = (
        theirs.encode(side, show_progress_bar=False).astype("float64") for side in (first, second)
    )
    expected = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    found = [answer["score"] for answer in make_encoder().answer((first, second))]
    ours, other = tasks.spearman(scores, found), tasks.spearman(scores, expected)
    print(f"STS-B English test: Spearman {ours:.5f}, sentence-transformers {other:.5f}")
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert ours == pytest.approx(other, abs=1e-4)


def test_a_few_hundred_pairs_teach_a_pooling_that_was_not_pretrained(development_data):
    train, dev = (
        text.read_labelled(development_data / "stsb-en" / f"{part}.tsv")
        for part in ("train", "dev")
    )
    tokenizer = models.load_tokenizer(models.find_checkpoint("all-minilm-l6-v2"))
    # all-MiniLM was trained with the mean of all pieces.
    encoder = tasks.SentenceEncoder(
        models.load("all-minilm-l6-v2"),
        text.Preprocessor(tokenizer, 64),
        pooling="cls",
        score_range=(0, 5),
    )
    # Rows of every part of the file, whose sources differ.
    held = tuple(side[::6] for side in dev[0])

    def judged():
        return tasks.spearman(dev[1][::6], [one["score"] for one in encoder.answer(held)])

    before = judged()
    pairs = tuple(side[::9] for side in train[0])
    encoder.fit(pairs, train[1][::9], batch_size=16, verbose=0)
    after = judged()
    print(f"639 pairs, one epoch: Spearman {before:.3f} to {after:.3f}")
    assert after > before + 0.02
