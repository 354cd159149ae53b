"""What every export can be asked, whatever its task: pieces, vectors, classes of tf.Examples."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from tf_bertembed import export, models, tasks, text
from tf_bertembed.common import BertEmbedError
from tf_bertembed.export.classify import to_examples
from tf_bertembed.export.signatures import signatures_of

TEXTS = ["Ada wrote.", "🙂 Café", "我住", "", "wrote wrote Ada"]


def make_tagger(make_parts):
    backbone, preprocessor = make_parts(text.TaggingPreprocessor, split="punctuation")
    return tasks.TokenClassifier(backbone, ["O", "B-PER", "I-PER"], preprocessor)


def make_answerer(make_parts):
    return tasks.QuestionAnswerer(*make_parts(text.QuestionPreprocessor))


def make_encoder(make_parts):
    backbone, preprocessor = make_parts()
    return tasks.SentenceEncoder(backbone, preprocessor, normalize=True)


def asked(task, signature, *columns):
    """What a signature answers eagerly."""
    answer = signatures_of(task)[signature].answer
    found = answer(tuple(map(tf.constant, columns)))
    return {name: value.numpy() for name, value in found.items()}


@pytest.fixture(scope="module")
def signature_defs(named_path):
    data = (named_path / "saved_model.pb").read_bytes()
    return saved_model_pb2.SavedModel.FromString(data).meta_graphs[0].signature_def


def test_pieces_and_their_places(named):
    found = asked(named, "tokenize", TEXTS)
    pieces = [[piece.decode() for piece in row if piece] for row in found["pieces"]]
    tokenizer = named.preprocessor.tokenizer
    assert pieces == [[tokenizer.id_to_token(i) for i in row] for row in tokenizer(TEXTS)]
    assert pieces[1] == ["[UNK]", "caf", "##e"]
    assert found["token_ids"].dtype == np.int32
    assert found["token_ids"][3].tolist() == [0, 0, 0]
    assert found["starts"].tolist()[1:4] == [[0, 2, 5], [0, 1, -1], [-1, -1, -1]]
    assert found["ends"].tolist()[1] == [1, 5, 6]


def test_no_texts_have_no_pieces(named):
    found = asked(named, "tokenize", ["", ""])
    assert all(value.shape == (2, 0) for value in found.values())


def test_classes_of_examples_are_those_of_texts(named):
    plain = asked(named, "serving_default", TEXTS)
    classified = asked(named, "classify", to_examples({"text": TEXTS}))
    assert classified["classes"].tolist() == plain["classes"].tolist()
    np.testing.assert_array_equal(classified["scores"], plain["probabilities"])


def test_a_pair_is_classified_from_two_features(make_parts):
    backbone, preprocessor = make_parts()
    pair = tasks.TextClassifier(backbone, 3, preprocessor, pair=True)
    columns = {"text_a": TEXTS, "text_b": TEXTS[::-1]}
    plain = asked(pair, "serving_default", *columns.values())
    found = asked(pair, "classify", to_examples(columns))
    np.testing.assert_array_equal(found["scores"], plain["probabilities"])


def test_any_number_of_labels_are_scored_each_for_itself(make_parts):
    backbone, preprocessor = make_parts()
    several = tasks.TextClassifier(backbone, 3, preprocessor, multi_label=True)
    found = asked(several, "classify", to_examples({"text": TEXTS}))
    np.testing.assert_array_equal(
        found["scores"], asked(several, "serving_default", TEXTS)["probabilities"]
    )
    assert found["classes"].shape == found["scores"].shape == (5, 3)


def test_an_example_without_the_text_is_told(named):
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"Feature: text .*is required"):
        asked(named, "classify", to_examples({"other": ["a"]}))


@pytest.mark.parametrize("make", [make_tagger, make_answerer])
def test_tasks_without_a_vector_of_their_own_embed_by_the_mean(make, make_parts):
    task = make(make_parts)
    found = asked(task, "embed", TEXTS)["embedding"]
    of_a_kind = task.preprocessor
    plain = text.Preprocessor(of_a_kind.tokenizer, 16, static_words=of_a_kind.static_words)
    features = plain(TEXTS)
    sequence = task.backbone(features)["sequence_output"].numpy()
    mask = features["padding_mask"].numpy()[..., np.newaxis]
    np.testing.assert_allclose(found, (sequence * mask).sum(1) / mask.sum(1), atol=1e-6)


@pytest.mark.slow
def test_the_vectors_of_a_tagger_are_those_of_its_encoder(make_parts):
    tagger = make_tagger(make_parts)
    expected = models.TextEncoder(tagger.backbone, tagger.preprocessor).encode(TEXTS)
    np.testing.assert_allclose(asked(tagger, "embed", TEXTS)["embedding"], expected, atol=1e-6)


def test_the_method_is_in_the_file(signature_defs):
    methods = {name: definition.method_name for name, definition in signature_defs.items()}
    assert methods.pop("classify") == "tensorflow/serving/classify"
    assert set(methods.values()) <= {"tensorflow/serving/predict", ""}
    assert set(signature_defs) - {"__saved_model_init_op"} == {
        *("serving_default", "classify", "embed", "tokenize")
    }
    classify = signature_defs["classify"]
    assert list(classify.inputs) == ["inputs"]
    assert sorted(classify.outputs) == ["classes", "scores"]


def test_the_fingerprint_is_that_of_the_file(named_path):
    from tensorflow.python.saved_model.pywrap_saved_model import fingerprinting

    assert (named_path / "fingerprint.pb").read_bytes()
    kept = fingerprinting.SingleprintFromFP(str(named_path))
    assert kept == fingerprinting.SingleprintFromSM(str(named_path))


def test_each_constant_is_held_once(named_path, named):
    data = (named_path / "saved_model.pb").read_bytes()
    for value in ("人".encode(), b"##e"):
        # As an element of a tensor of strings.
        assert data.count(bytes([8 << 3 | 2, len(value)]) + value) == 1
    model = named.preprocessor.tokenizer.wordpiece._model.numpy().tobytes()
    assert data.count(model) == 1


@pytest.mark.parametrize("make", [make_tagger, make_answerer, make_encoder])
@pytest.mark.slow
def test_the_export_of_every_task_is_verified(make, make_parts, tmp_path):
    task = make(make_parts)
    pairs = list(zip(TEXTS, TEXTS[::-1], strict=True))
    examples = TEXTS if len(task.text_inputs) == 1 else pairs
    path = export.export_saved_model(task, tmp_path, examples=examples)
    report = export.verify(path)
    assert report.ok, str(report)
    assert {"serving_default", "embed", "tokenize"} <= {check.signature for check in report.checks}


def test_the_export_of_a_classifier_is_verified(named_path):
    report = export.verify(named_path)
    assert report.ok, str(report)
    answered = export.answer(named_path, to_examples({"text": ["Ada wrote."]}), "classify")
    assert answered["classes"].tolist() == [["no", "yes", "人"]]


def test_a_task_of_ones_own_has_its_own_signatures_alone(tiny_task):
    assert sorted(signatures_of(tiny_task())) == ["embed", "serving_default"]


def test_bytes_are_no_texts(named_path):
    with pytest.raises(BertEmbedError, match="a string was expected"):
        export.answer(named_path, ["a", b"b"])
