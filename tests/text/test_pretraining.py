import numpy as np
import pytest
import tensorflow as tf

from tf_bertembed import text
from tf_bertembed.common import BertEmbedError
from tf_bertembed.text.spans import Corpus, pair_spans, window_spans


@pytest.fixture(scope="module")
def words(documents):
    found = {w.lower() for d in documents for s in d for w in s.split() if w.isalpha()}
    return sorted(found)[::2]


@pytest.fixture(scope="module")
def make(documents, tokenizer):
    def make(**arguments):
        settings = {"sequence_length": 64, "batch_size": 16, "seed": 3, **arguments}
        return text.PretrainingExamples(documents[:60], tokenizer, **settings)

    return make


@pytest.fixture(scope="module")
def examples(make, words):
    return make(static_words=words)


def whole_epoch(examples):
    """All batches of an epoch, joined."""
    batches = [examples.batch(step) for step in range(examples.steps_per_epoch)]
    return tf.nest.map_structure(lambda *values: np.concatenate(values), *batches)


@pytest.fixture(scope="module")
def epoch(examples):
    return whole_epoch(examples)


def original(features, labels, weights):
    """The pieces before masking."""
    tokens = features["token_ids"].copy()
    row, place = np.nonzero(weights["masked_lm"])
    tokens[row, features["mask_positions"][row, place]] = labels["masked_lm"][row, place]
    return tokens


def equal(first, second):
    return all(
        np.array_equal(a, b)
        for a, b in zip(tf.nest.flatten(first), tf.nest.flatten(second), strict=True)
    )


def test_shapes_and_types(examples):
    features, labels, weights = next(iter(examples.epoch(0)))
    assert {name: (tuple(v.shape), v.dtype.name) for name, v in features.items()} == {
        "token_ids": ((16, 64), "int32"),
        "segment_ids": ((16, 64), "int32"),
        "padding_mask": ((16, 64), "bool"),
        "static_ids": ((16, 64), "int32"),
        "mask_positions": ((16, 10), "int32"),
    }
    assert labels["masked_lm"].shape == weights["masked_lm"].shape == (16, 10)
    assert labels["next_sentence"].shape == weights["next_sentence"].shape == (16,)
    assert weights["masked_lm"].dtype == weights["next_sentence"].dtype == tf.float32


def test_pieces_are_those_of_the_documents(epoch, documents, tokenizer):
    features, labels, _ = epoch
    pieces = tokenizer.tokenize([" ".join(document) for document in documents[:60]])
    texts = [" ".join(map(str, ids)) for ids in pieces.to_list()]
    tokens = original(*epoch)
    for row, is_next in list(zip(range(len(tokens)), labels["next_sentence"], strict=True))[:40]:
        real = features["padding_mask"][row]
        second = features["segment_ids"][row] == 1
        first = tokens[row][real & ~second]
        last = tokens[row][second]
        assert (first[0], first[-1], last[-1]) == (
            tokenizer.cls_token_id,
            tokenizer.sep_token_id,
            tokenizer.sep_token_id,
        )
        parts = [" ".join(map(str, part)) for part in (first[1:-1], last[:-1])]
        holders = [{i for i, t in enumerate(texts) if f" {part} " in f" {t} "} for part in parts]
        assert all(holders)
        if is_next:
            assert holders[0] & holders[1]


def test_half_of_the_pairs_follow(epoch):
    assert 0.35 < epoch[1]["next_sentence"].mean() < 0.6


def test_share_and_kinds_of_masking(epoch, tokenizer):
    features, labels, weights = epoch
    row, place = np.nonzero(weights["masked_lm"])
    share = len(row) / features["padding_mask"].sum()
    assert 0.135 < share < 0.165
    seen = features["token_ids"][row, features["mask_positions"][row, place]]
    wanted = labels["masked_lm"][row, place]
    masked, kept = seen == tokenizer.mask_token_id, seen == wanted
    assert abs(masked.mean() - 0.8) < 0.03
    assert abs(kept.mean() - 0.1) < 0.03


def test_special_tokens_are_neither_masked_nor_drawn(documents, tokenizer):
    # No piece of the vocabulary is a smiley.
    smiling = [[f"{sentence} 😀 😀" for sentence in document] for document in documents[:60]]
    examples = text.PretrainingExamples(smiling, tokenizer, sequence_length=64, seed=3)
    epoch = features, labels, weights = whole_epoch(examples)
    assert (features["token_ids"] == tokenizer.unk_token_id).sum() > 500
    special = [tokenizer.token_to_id(token) for token in text.SPECIAL_TOKENS]
    row, place = np.nonzero(weights["masked_lm"])
    assert not np.isin(labels["masked_lm"][row, place], special).any()
    position = features["mask_positions"][row, place]
    tokens = original(*epoch)
    drawn = features["token_ids"][row, position]
    other = (drawn != tokens[row, position]) & (drawn != tokenizer.mask_token_id)
    assert other.any()
    assert not np.isin(drawn[other], special).any()
    for unused in (labels["masked_lm"], features["mask_positions"]):
        assert not unused[weights["masked_lm"] == 0].any()


def test_each_position_is_predicted_once(epoch):
    features, _, weights = epoch
    for positions, weight in zip(features["mask_positions"], weights["masked_lm"], strict=True):
        chosen = positions[weight > 0]
        assert len(set(chosen)) == len(chosen)


def test_the_vector_of_a_masked_word_is_hidden(epoch, examples, tokenizer):
    """Pieces of a predicted word have row 0, all others the row that the preprocessor gives."""
    features, _, weights = epoch
    tokens = original(*epoch)
    starts = tokenizer.starts_word(tokens).numpy()
    # A text may begin amid a word.
    starts[:, 1:] |= np.isin(tokens[:, :-1], [tokenizer.cls_token_id, tokenizer.sep_token_id])
    hidden = 0
    for row in range(len(tokens)):
        predicted = set(features["mask_positions"][row][weights["masked_lm"][row] > 0])
        word = []
        for column in range(tokens.shape[1] + 1):
            if column == tokens.shape[1] or starts[row, column]:
                rows = features["static_ids"][row, word]
                if predicted & set(word):
                    assert not rows.any()
                    hidden += len(word)
                else:
                    assert len(set(rows)) <= 1
                word = []
            word.append(column)
    assert hidden > weights["masked_lm"].sum()
    assert (features["static_ids"] > 0).any()


def test_rows_are_those_of_the_preprocessor(tokenizer, words, documents):
    examples = text.PretrainingExamples(
        documents[:3], tokenizer, 512, 1, static_words=words, next_sentence=False
    )
    preprocessor = text.Preprocessor(tokenizer, 512, static_words=words)
    sentences = [sentence for document in documents[:3] for sentence in document]
    features = preprocessor(sentences)
    inner = ~np.isin(features["token_ids"], [tokenizer.pad_token_id, 2, 3])
    assert np.array_equal(examples.corpus.rows[:-1], features["static_ids"].numpy()[inner])
    assert np.array_equal(examples.corpus.pieces[:-1], features["token_ids"].numpy()[inner])


def test_epochs_differ_and_repeat(examples):
    first, second = (list(examples.epoch(index).take(2)) for index in (0, 1))
    assert not equal(first, second)
    assert equal(second, list(examples.epoch(1).take(2)))


def test_another_seed_gives_other_batches(examples, make, words):
    other = make(static_words=words, seed=4)
    assert not equal(examples.batch(0), other.batch(0))
    assert equal(examples.batch(5), make(static_words=words).batch(5))


def test_any_step_can_be_resumed(examples):
    start = examples.steps_per_epoch - 1
    whole = list(examples.dataset().take(start + 3))
    assert equal(whole[start:], list(examples.dataset(start_step=start).take(3)))
    assert equal(whole[start + 1 :], list(examples.epoch(1).take(2)))


def test_fixed_masks_for_a_dev_set(make):
    dev = make(fresh_masks=False)
    assert equal(list(dev.epoch(0)), list(dev.epoch(1)))
    assert sum(len(f["token_ids"]) for f, _, _ in dev.epoch(0)) == dev.num_examples
    assert dev.num_examples % 16


def test_single_texts(make, tokenizer):
    examples = make(next_sentence=False, fresh_masks=False)
    features, labels, weights = examples.batch(0)
    assert sorted(labels) == sorted(weights) == ["masked_lm"]
    assert not features["segment_ids"].any()
    assert ((features["token_ids"] == tokenizer.sep_token_id).sum(axis=1) == 1).all()
    assert len(list(examples.epoch(0))) == examples.steps_per_epoch


def test_all_documents_are_seen_once_an_epoch(documents, tokenizer):
    corpus = Corpus(documents, tokenizer)
    spans = window_spans(corpus, 30, np.random.default_rng(0))
    assert (spans[:, 1] - spans[:, 0]).max() <= 30
    covered = np.concatenate([np.arange(begin, end) for begin, end, *_ in spans])
    assert np.array_equal(np.sort(covered), np.arange(len(corpus.pieces) - 1))


def test_pairs_fit_and_second_texts_come_from_another_document(documents, tokenizer):
    corpus = Corpus(documents, tokenizer)
    spans = pair_spans(corpus, 61, np.random.default_rng(0), 0.1)
    lengths = spans[:, 1] - spans[:, 0] + spans[:, 3] - spans[:, 2]
    assert lengths.max() <= 61
    assert (spans[:, 1] > spans[:, 0]).all()
    assert (spans[:, 3] > spans[:, 2]).all()
    bounds = np.array(corpus.sentences)[corpus.documents]
    document = [np.searchsorted(bounds, spans[:, column], side="right") for column in (0, 2)]
    assert np.array_equal(document[0] == document[1], spans[:, 4] == 1)


def test_empty_sentences_and_documents_are_passed_over(tokenizer):
    corpus = Corpus([[], ["the", "", " "], [""], ["a", "of the"]], tokenizer)
    assert corpus.sentences == [0, 1, 2, 4]
    assert corpus.documents == [0, 1, 3]


@pytest.mark.parametrize(
    ("given", "arguments", "message"),
    [
        (["a text"], {}, "a list of its sentences .* Received: 'a text'"),
        ([], {}, "hold no text"),
        ([[" "]], {}, "hold no text"),
        ([["one", "two"]], {}, "at least 2 documents are needed. Received: 1"),
        ([["one"], ["two"]], {"batch_size": 500}, "fewer than one batch of 500"),
        ([["one"], ["two"]], {"mask_rate": 0}, "between 0 and 1. Received: 0"),
        ([["one"], ["two"]], {"sequence_length": 4}, "at least 8 .* sequence_length=4"),
    ],
)
def test_bad_arguments(tokenizer, given, arguments, message):
    with pytest.raises(BertEmbedError, match=message):
        text.PretrainingExamples(given, tokenizer, **arguments)
