import concurrent.futures

import numpy as np
import tensorflow as tf

from tf_bertembed import text

PIECES = [*text.SPECIAL_TOKENS, "a", "##b", "é"]
TEXTS = ["a É ab", "", "a" + "b" * 99 + " a" + "b" * 100]


def arrays(features):
    return {name: value.numpy() for name, value in features.items()}


def test_repeated_calls_are_traced_and_give_the_same():
    preprocessor = text.Preprocessor(text.BertEmbedTokenizer(PIECES), 128, static_words=["é"])
    for x in (TEXTS, (TEXTS, TEXTS[::-1])):
        first, *others = [arrays(preprocessor(x, y=None)) for _ in range(4)]
        for other in others:
            assert sorted(first) == sorted(other)
            for name, values in first.items():
                np.testing.assert_array_equal(values, other[name])
    assert sorted(preprocessor._run._made[2]) == [1, 2]


def test_threads_may_share_one():
    preprocessor = text.Preprocessor(text.BertEmbedTokenizer(PIECES), 128, static_words=["é"])
    expected = [arrays(preprocessor(TEXTS)) for _ in range(3)][-1]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        running = [pool.submit(preprocessor, TEXTS) for _ in range(80)]
        for future in running:
            got = arrays(future.result(timeout=60))
            for name, values in expected.items():
                np.testing.assert_array_equal(got[name], values)


def test_a_change_starts_anew():
    preprocessor = text.Preprocessor(text.BertEmbedTokenizer(PIECES), 128)
    for _ in range(3):
        assert preprocessor(["a a a"])["token_ids"].shape == (1, 5)
    preprocessor.sequence_length = 4
    assert preprocessor(["a a a"])["token_ids"].shape == (1, 4)
    preprocessor.tokenizer.set_vocabulary([*PIECES[:5], "b", "a"])
    assert preprocessor(["a"])["token_ids"].numpy().tolist() == [[2, 6, 3]]


def test_no_trace_of_it_is_saved(tmp_path):
    preprocessor = text.Preprocessor(text.BertEmbedTokenizer(PIECES), 8)
    for _ in range(3):
        preprocessor(["a"])
    module = tf.Module()
    module.preprocessor = preprocessor
    column = tf.TensorSpec([None], tf.string)
    module.serve = tf.function(lambda x: preprocessor(x), input_signature=[column])
    tf.saved_model.save(module, tmp_path)
    loaded = tf.saved_model.load(tmp_path)
    np.testing.assert_array_equal(loaded.serve(["a ab"])["token_ids"], [[2, 5, 5, 6, 3]])
    graph = (tmp_path / "saved_model.pb").read_bytes()
    assert b"SINGLE_THREADED_EXECUTOR" not in graph
