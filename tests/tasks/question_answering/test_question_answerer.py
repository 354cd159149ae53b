import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_bertembed import models, tasks, text
from tf_bertembed.common import BertEmbedError
from tf_bertembed.models.huggingface import load_huggingface

FUSED = {"input_fusion": "gate", "output_fusion": "concat"}


@pytest.fixture(scope="module")
def answerer(make_answerer):
    """One that no test changes."""
    return make_answerer()


@pytest.fixture(scope="module")
def answers(answerer, questions):
    return answerer.answer(questions)


def same_answers(one, other, tolerance=1e-5):
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        assert list(a) == list(b)
        for name in a:
            if "score" in name:
                np.testing.assert_allclose(a[name], b[name], atol=tolerance)
            else:
                assert a[name] == b[name], name


def test_logits_are_those_of_transformers(transformers, tokenizer, questions, tmp_path):
    import torch

    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=tokenizer.vocabulary_size(),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=24,
        initializer_range=0.3,
    )
    published = transformers.BertForQuestionAnswering(config).eval()
    published.save_pretrained(tmp_path / "published")
    backbone = load_huggingface(tmp_path / "published")
    preprocessor = text.QuestionPreprocessor(tokenizer, 24, stride=7)
    answerer = tasks.QuestionAnswerer(backbone, preprocessor)
    answerer.output_dense.kernel.assign(published.qa_outputs.weight.detach().numpy().T)
    answerer.output_dense.bias.assign(published.qa_outputs.bias.detach().numpy())
    pair = [q.question for q in questions], [q.context for q in questions]
    features = {name: value.numpy() for name, value in preprocessor(pair).items()}
    mask = features["padding_mask"]
    assert not mask.all()
    with torch.no_grad():
        expected = published(
            input_ids=torch.tensor(features["token_ids"]),
            token_type_ids=torch.tensor(features["segment_ids"]),
            attention_mask=torch.tensor(mask.astype("int64")),
        )
    logits = answerer.predict(questions, verbose=0)
    for name in ("start_logits", "end_logits"):
        wanted = expected[name].numpy()[mask]
        distance = np.abs(logits[name][mask] - wanted).max() / np.abs(wanted).max()
        print(f"{name}: {distance:.1e}")
        assert distance < 1e-5
        assert (logits[name][~mask] == -1e9).all()


def test_answers_are_parts_of_their_contexts(answers, questions, answerer):
    windows = answerer.windows(questions, labelled=False)
    assert len(windows) > len(questions)
    for question, answer in zip(questions, answers, strict=True):
        spans = zip(answer["starts"], answer["ends"], strict=True)
        assert answer["answers"] == [question.context[start:end] for start, end in spans]
        assert answer["answer"] == answer["answers"][0]
        assert answer["score"] == answer["scores"][0] >= answer["scores"][1] > 0
        assert len(set(zip(answer["starts"], answer["ends"], strict=True))) == 3


def test_answers_do_not_depend_on_what_they_are_asked_with(answers, answerer, questions):
    pair = [q.question for q in questions], [q.context for q in questions]
    same_answers(answers, answerer.answer(pair, batch_size=3))
    same_answers(answers[4:5], answerer.answer(questions[4:5]))


def test_padding_changes_nothing(answers, make_answerer, questions, tokenizer):
    padded = make_answerer()
    padded.preprocessor = text.QuestionPreprocessor(tokenizer, 24, stride=5, padding="max_length")
    same_answers(answers, padded.answer(questions))


def test_the_stride_is_heeded(make_answerer, questions):
    counts = [len(make_answerer(stride=s).windows(questions)) for s in (2, 5, 20)]
    assert counts[0] > counts[1] > counts[2] >= len(questions)


@pytest.mark.parametrize("arguments", [{}, pytest.param(FUSED, marks=pytest.mark.slow)])
def test_it_learns(arguments, make_answerer, questions):
    answerer = make_answerer(eagerly=False, options={"null_threshold": 0.0}, **arguments)
    answerer.compile(keras.optimizers.Adam(3e-3), metrics=None)
    known = questions
    before = answerer.score(known)
    history = answerer.fit(known, batch_size=8, epochs=40, verbose=0).history
    assert history["loss"][-1] < 0.3 * history["loss"][0]
    after = answerer.score(known)
    assert after["f1"] > 0.8 > before["f1"]
    assert after["has_answer_f1"] > 0.8


def test_the_loss_is_the_mean_of_both_ends(answerer, questions):
    measured = answerer.evaluate(questions, batch_size=4, verbose=0, return_dict=True)
    pair = [q.question for q in questions], [q.context for q in questions]
    features, y = answerer.preprocessor(pair, y=[q.span for q in questions])
    logits = answerer(answerer.inputs_of(features))
    parts = [
        tf.nn.sparse_softmax_cross_entropy_with_logits(y[name], logits[name]) for name in logits
    ]
    assert measured["loss"] == pytest.approx(float(tf.reduce_mean(parts)), rel=1e-4)
    hits = tf.argmax(logits["end_logits"], -1, tf.int32) == y["end_logits"]
    assert measured["end_logits_accuracy"] == pytest.approx(float(np.mean(hits)))
    features_alone = answerer.inputs_of(features)
    again = answerer.evaluate(features_alone, y, batch_size=4, verbose=0, return_dict=True)
    assert again["loss"] == pytest.approx(measured["loss"], rel=1e-4)


def test_ways_to_fit(make_answerer, questions):
    answerer = make_answerer()
    history = answerer.fit(
        questions, batch_size=16, validation_data=(questions[:4], None), verbose=0
    )
    assert "val_loss" in history.history
    history = answerer.fit(
        questions,
        batch_size=16,
        sample_weight=np.ones(len(questions)),
        validation_split=0.25,
        verbose=0,
    )
    assert "val_loss" in history.history
    pairs = tf.data.Dataset.from_tensor_slices(
        (
            ([q.question for q in questions], [q.context for q in questions]),
            [q.span for q in questions],
        )
    )
    history = answerer.fit(pairs.batch(6), validation_data=questions[:4], verbose=0)
    assert "val_loss" in history.history


def test_weights_of_examples(make_answerer, questions):
    answerer = make_answerer()
    before = [variable.numpy() for variable in answerer.trainable_variables]
    answerer.fit(questions, sample_weight=np.zeros(len(questions)), verbose=0)
    for variable, old in zip(answerer.trainable_variables, before, strict=True):
        np.testing.assert_allclose(variable, old, atol=1e-7)


def test_what_the_head_does_not_read_is_not_trained(make_answerer):
    answerer = make_answerer(**FUSED)
    ids = {id(variable) for variable in answerer.trainable_variables}
    backbone = answerer.backbone
    assert id(backbone.pooler_dense.kernel) not in ids
    assert {id(v) for v in backbone.output_fusion_layer.trainable_variables} <= ids


def test_answers_that_stand_nowhere_are_left_out(answerer, questions):
    lost = text.SquadExample("lost", "who ?", "a film", (("x", -1),))
    with pytest.warns(UserWarning, match="1 of 2 examples are left out"):
        assert len(answerer.windows([lost, questions[0]])) == len(answerer.windows(questions[:1]))
    with pytest.raises(BertEmbedError, match="None of the 1 examples has an answer"):
        answerer.fit([lost])
    assert answerer.score([lost]).keys() == {"exact_match", "f1"}


def test_the_best_threshold_is_chosen_and_kept(make_answerer, questions, tmp_path):
    answerer = make_answerer()
    chosen = answerer.choose_null_threshold(questions)
    best = answerer.score(questions)["f1"]
    for threshold in (None, -50.0, 0.0, 50.0, chosen + 0.5, chosen - 0.5):
        answerer.null_threshold = threshold
        assert answerer.score(questions)["f1"] <= best + 1e-9
    answerer.null_threshold = chosen
    answerer.save_to_preset(tmp_path)
    assert tasks.QuestionAnswerer.from_preset(tmp_path).null_threshold == chosen
    with pytest.raises(BertEmbedError, match="with and without an answer"):
        answerer.choose_null_threshold(questions[:3])


@pytest.mark.parametrize(
    "dtype", ["float32", pytest.param("mixed_float16", marks=pytest.mark.slow)]
)
def test_saving(dtype, make_answerer, questions, tmp_path):
    options = {"language": "zh", "null_threshold": 0.5, "dropout": 0.1}
    answerer = make_answerer(options=options, dtype=dtype, **FUSED)
    expected = answerer.answer(questions)
    answerer.save_to_preset(tmp_path / "preset")
    answerer.save(tmp_path / "model.keras")
    for again in (
        tasks.QuestionAnswerer.from_preset(tmp_path / "preset", dtype=dtype),
        keras.saving.load_model(tmp_path / "model.keras"),
    ):
        config = again.get_config()
        assert {name: config[name] for name in options} == options
        assert again.preprocessor.get_config() == answerer.preprocessor.get_config()
        same_answers(again.answer(questions), expected, 1e-6)
    encoder = models.load_encoder(tmp_path / "preset")
    assert encoder.encode([questions[0].context]).shape[0] == 1
    assert models.load(tmp_path / "preset").hidden_dim == 16


@pytest.mark.parametrize(
    "dtype", ["mixed_float16", pytest.param("mixed_bfloat16", marks=pytest.mark.slow)]
)
def test_half_precision_stays_near(dtype, make_answerer, questions):
    exact, half = (make_answerer(dtype=name, **FUSED) for name in ("float32", dtype))
    half.set_weights(exact.get_weights())
    expected = exact.predict(questions, verbose=0)["start_logits"]
    logits = half.predict(questions, verbose=0)["start_logits"]
    assert logits.dtype == "float32"
    real = expected > -1e8
    distance = np.abs(logits - expected)[real].max() / np.abs(expected[real]).max()
    assert 0 < distance < 0.2
    assert np.isfinite(half.fit(questions, verbose=0).history["loss"]).all()


def test_without_a_preprocessor(make_backbone, answerer, questions):
    alone = tasks.QuestionAnswerer(make_backbone())
    pair = [q.question for q in questions], [q.context for q in questions]
    features, y = answerer.preprocessor(pair, y=[q.span for q in questions])
    features = alone.inputs_of(features)
    alone.compile("adam", run_eagerly=True)
    alone.fit(features, y, verbose=0)
    logits = alone.predict(features, verbose=0)
    assert logits["start_logits"].shape == features["token_ids"].shape
    for ask in (alone.answer, alone.fit):
        with pytest.raises(BertEmbedError, match="preprocessor"):
            ask(questions)


@pytest.mark.parametrize("name", ["max_answer_length", "n_best"])
@pytest.mark.parametrize("value", [0, 2.5, True])
def test_numbers_that_cannot_be(name, value, make_backbone):
    with pytest.raises(BertEmbedError, match=f"`{name}` must be an int of at least 1"):
        tasks.QuestionAnswerer(make_backbone(), **{name: value})


def test_arguments_that_cannot_be(make_backbone, preprocessor, answerer, questions):
    backbone = make_backbone()
    with pytest.raises(BertEmbedError, match=r"a text.QuestionPreprocessor.*: Preprocessor"):
        tasks.QuestionAnswerer(backbone, preprocessor)
    with pytest.raises(BertEmbedError, match="Received: 'fr'"):
        tasks.QuestionAnswerer(backbone, language="fr")
    for threshold in (float("nan"), "0", True):
        with pytest.raises(BertEmbedError, match="`null_threshold` must be a finite number"):
            tasks.QuestionAnswerer(backbone, null_threshold=threshold)
    for wrong in (["who"], (["who"], ["a", "b"]), (["who"], ["a"], ["b"])):
        with pytest.raises(BertEmbedError, match="as many questions as contexts"):
            answerer.answer(wrong)
    with pytest.raises(BertEmbedError, match=r"Row 1 of `x\[1\]` holds 3"):
        answerer.answer((["who", "who"], ["a", 3]))
    with pytest.raises(BertEmbedError, match=r"a list of text\.SquadExample"):
        answerer.windows((["who"], ["a"]))
    with pytest.raises(BertEmbedError, match="`y` must be None"):
        answerer.fit(questions, [0] * len(questions))
    with pytest.raises(BertEmbedError, match="Received: 2 for 8 examples"):
        answerer.fit(questions, sample_weight=[1, 2])
    with pytest.raises(BertEmbedError, match="leaves no example on one side"):
        answerer.fit(questions, validation_split=0.99)
    for ask in (answerer.answer, answerer.fit):
        with pytest.raises(BertEmbedError, match="`batch_size` must be at least 1"):
            ask(questions, batch_size=0)
