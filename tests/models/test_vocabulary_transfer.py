import numpy as np
import pytest

from tf_bertembed import common, models, text, vectors

OLD = [*text.SPECIAL_TOKENS, "play", "##ed", "##s", "the", ",", "cat"]
TEXTS = ["The cat, the cats played", "cat", "play the unknown cat"]


def make_backbone(**arguments):
    sizes = {"num_layers": 1, "num_heads": 2, "hidden_dim": 8, "intermediate_dim": 16}
    return models.BertEmbedBackbone(**{"vocabulary_size": len(OLD), **sizes, **arguments})


def outputs(backbone, vocabulary, words=None):
    tokenizer = text.BertEmbedTokenizer(vocabulary)
    return backbone(text.Preprocessor(tokenizer, 16, static_words=words)(TEXTS))


def fused(**arguments):
    backbone = make_backbone(
        static_vocabulary_size=3, static_dim=4, input_fusion="gate", output_fusion="concat"
    )
    backbone.set_static_vectors([[0] * 4, [1, 2, 3, 4], [-1, 0, 2, 5]])
    return backbone


def same_weights(one, other):
    pairs = list(zip(one.weights, other.weights, strict=True))
    assert pairs
    return all(a.numpy().tobytes() == b.numpy().tobytes() for a, b in pairs)


@pytest.mark.parametrize(
    "backbone",
    [make_backbone(), make_backbone(norm_first=True, embedding_dim=4), fused()],
    ids=["plain", "factorised", "fused"],
)
def test_another_order_gives_the_same_numbers(backbone):
    order = [0, *np.random.default_rng(0).permutation(np.arange(1, len(OLD)))]
    new = [OLD[index] for index in order]
    moved = models.transfer_vocabulary(backbone, vectors.mix_pieces(OLD, new, "random"))
    table = backbone.token_embedding.embeddings.numpy()
    assert moved.token_embedding.embeddings.numpy().tobytes() == table[order].tobytes()
    words = None if backbone.static_embedding is None else ["cat", "the"]
    theirs, ours = outputs(backbone, OLD, words), outputs(moved, new, words)
    for name in ("sequence_output", "pooled_output"):
        np.testing.assert_array_equal(ours[name], theirs[name])


@pytest.mark.parametrize("method", ["mean", "random"])
def test_the_same_vocabulary_is_the_identity(method):
    backbone = fused()
    before = [weight.numpy() for weight in backbone.weights]
    moved = models.transfer_vocabulary(backbone, vectors.mix_pieces(OLD, OLD, method))
    assert same_weights(backbone, moved)
    assert moved.get_config() == backbone.get_config()
    assert moved is not backbone
    for weight, value in zip(backbone.weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)


def test_added_pieces_leave_texts_without_them_as_they_were():
    backbone = make_backbone()
    new = [*OLD, "dog", "walked"]
    moved = models.transfer_vocabulary(backbone, vectors.mix_pieces(OLD, new, "mean"), seed=3)
    assert moved.vocabulary_size == len(new)
    np.testing.assert_array_equal(
        outputs(moved, new)["sequence_output"], outputs(backbone, OLD)["sequence_output"]
    )
    again = models.transfer_vocabulary(backbone, vectors.mix_pieces(OLD, new, "mean"), seed=3)
    other = models.transfer_vocabulary(backbone, vectors.mix_pieces(OLD, new, "mean"), seed=4)
    assert same_weights(moved, again)
    assert not same_weights(moved, other)


def test_a_smaller_vocabulary_and_a_moved_padding_row():
    backbone = make_backbone()
    new = ["cat", "the", *reversed(text.SPECIAL_TOKENS)]
    moved = models.transfer_vocabulary(backbone, vectors.mix_pieces(OLD, new, "mean"))
    old_table, table = (b.token_embedding.embeddings.numpy() for b in (backbone, moved))
    assert table.shape == (7, 8)
    for name in new:
        np.testing.assert_array_equal(table[new.index(name)], old_table[OLD.index(name)])


def test_rows_without_a_piece_are_left_behind():
    backbone = make_backbone(vocabulary_size=16)
    moved = models.transfer_vocabulary(backbone, vectors.mix_pieces(OLD, OLD, "mean"))
    assert moved.vocabulary_size == len(OLD)


def test_a_moved_backbone_is_saved_and_read(tmp_path):
    new = [*OLD, "played"]
    moved = models.transfer_vocabulary(make_backbone(), vectors.mix_pieces(OLD, new, "mean"))
    moved.save_to_preset(str(tmp_path / "moved"))
    assert same_weights(models.load(tmp_path / "moved"), moved)


def test_a_vocabulary_larger_than_the_table():
    mixture = vectors.mix_pieces([*OLD, "dog"], OLD, "mean")
    with pytest.raises(common.BertEmbedError, match=r"of 12 old pieces, .* only 11 rows. Make it"):
        models.transfer_vocabulary(make_backbone(), mixture)


def test_what_is_no_backbone_or_no_mixture():
    mixture = vectors.mix_pieces(OLD, OLD, "mean")
    with pytest.raises(common.BertEmbedError, match=r"what `models\.load` gives.*'RUN'"):
        models.transfer_vocabulary("RUN", mixture)
    with pytest.raises(common.BertEmbedError, match=r"what `vectors\.mix_pieces` gives.*'\[PAD\]'"):
        models.transfer_vocabulary(make_backbone(), OLD)
