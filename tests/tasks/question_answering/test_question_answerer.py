import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_bertembed import models, tasks, text
from tf_bertembed.common import BertEmbedError

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


@pytest.fixture(scope="module")
def published(transformers, tokenizer, tmp_path_factory):
    """The class of the package transformers, of random weights, and its folder."""
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
    model = transformers.BertForQuestionAnswering(config).eval()
    folder = tmp_path_factory.mktemp("published")
    model.save_pretrained(folder)
    text.save_vocabulary(tokenizer.get_vocabulary(), folder / "vocab.txt")
    return model, folder


def published_logits(model, features):
    import torch

    with torch.no_grad():
        outputs = model(
            input_ids=torch.tensor(features["token_ids"]),
            token_type_ids=torch.tensor(features["segment_ids"]),
            attention_mask=torch.tensor(features["padding_mask"].astype("int64")),
        )
    return {name: outputs[name].numpy() for name in ("start_logits", "end_logits")}


def test_logits_are_those_of_transformers(published, questions):
    model, folder = published
    answerer = tasks.load_huggingface(folder)
    pair = [q.question for q in questions], [q.context for q in questions]
    features = {name: value.numpy() for name, value in answerer.preprocessor(pair).items()}
    mask = features["padding_mask"]
    assert not mask.all()
    expected = published_logits(model, features)
    logits = answerer(answerer.inputs_of(features))
    for name, value in logits.items():
        wanted, value = expected[name][mask], value.numpy()
        distance = np.abs(value[mask] - wanted).max() / np.abs(wanted).max()
        print(f"{name}: {distance:.1e}")
        assert distance < 1e-5
        assert (value[~mask] == -1e9).all()


def test_transformers_reads_what_is_written(published, transformers, answerer, tmp_path):
    tasks.save_huggingface(answerer, tmp_path / "written")
    model, loading = transformers.BertForQuestionAnswering.from_pretrained(
        tmp_path / "written", output_loading_info=True
    )
    assert not any(loading[name] for name in ("missing_keys", "unexpected_keys"))
    features = answerer.preprocessor((["what ?"], ["a good film"]))
    features = {name: value.numpy() for name, value in features.items()}
    expected = published_logits(model.eval(), features)
    logits = answerer(answerer.inputs_of(features))
    for name, value in logits.items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-4, atol=1e-4)
    again = tasks.load_huggingface(tmp_path / "written")
    assert isinstance(again.preprocessor, text.QuestionPreprocessor)


def test_answers_are_parts_of_their_contexts(answers, questions, answerer):
    windows = answerer.windows(questions, labelled=False)
    assert len(windows) > len(questions)
    for question, answer in zip(questions, answers, strict=True):
        spans = zip(answer["starts"], answer["ends"], strict=True)
        assert answer["answers"] == [question.context[start:end] for start, end in spans]
        assert answer["answer"] == answer["answers"][0]
        assert answer["score"] == answer["scores"][0] >= answer["scores"][1] > 0
        assert len(set(zip(answer["starts"], answer["ends"], strict=True))) == 3


@pytest.mark.slow
def test_answers_do_not_depend_on_what_they_are_asked_with(answers, answerer, questions):
    pair = [q.question for q in questions], [q.context for q in questions]
    same_answers(answers, answerer.answer(pair, batch_size=3))
    same_answers(answers[4:5], answerer.answer(questions[4:5]))


def test_padding_changes_nothing(answers, make_answerer, questions, tokenizer):
    padded = make_answerer()
    padded.preprocessor = text.QuestionPreprocessor(tokenizer, 24, stride=8, padding="max_length")
    same_answers(answers, padded.answer(questions))


def test_the_stride_is_heeded(make_answerer, questions):
    counts = [len(make_answerer(stride=s).windows(questions)) for s in (4, 8, 20)]
    assert counts[0] > counts[1] > counts[2] >= len(questions)


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [{}, FUSED])
def test_it_learns(arguments, make_answerer, questions):
    answerer = make_answerer(eagerly=False, options={"null_threshold": 0.0}, **arguments)
    answerer.compile(keras.optimizers.Adam(3e-3), metrics=None)
    before = answerer.score(questions)
    history = answerer.fit(questions, batch_size=8, epochs=50, verbose=0).history
    assert history["loss"][-1] < 0.3 * history["loss"][0]
    after = answerer.score(questions)
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


@pytest.mark.slow
def test_ways_to_fit(make_answerer, questions):
    answerer = make_answerer()
    few = questions[:2]
    pairs = tf.data.Dataset.from_tensor_slices(
        (([q.question for q in few], [q.context for q in few]), [q.span for q in few])
    )
    for x, arguments in (
        (few, {"validation_data": (few, None)}),
        (few, {"validation_split": 0.5, "sample_weight": np.ones(2)}),
        (pairs.batch(2), {"validation_data": few}),
    ):
        assert "val_loss" in answerer.fit(x, verbose=0, **arguments).history


@pytest.mark.slow
def test_weights_of_examples(make_answerer, questions):
    answerer = make_answerer()
    before = [variable.numpy() for variable in answerer.trainable_variables]
    answerer.fit(questions[:2], sample_weight=[0, 0], verbose=0)
    for variable, old in zip(answerer.trainable_variables, before, strict=True):
        np.testing.assert_allclose(variable, old, atol=1e-7)


@pytest.mark.slow
def test_a_later_epoch_sees_the_windows_in_its_own_order(make_answerer, questions):
    def fitted(*epochs):
        keras.utils.set_random_seed(5)
        # No momentum, no dropout: the weights and the order are all that counts.
        answerer = make_answerer(dropout=0.0)
        answerer.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
        for first, last in epochs:
            keras.utils.set_random_seed(7)
            answerer.fit(questions[:3], batch_size=2, initial_epoch=first, epochs=last, verbose=0)
        return answerer.get_weights()

    whole, parts, other = fitted((0, 2)), fitted((0, 1), (1, 2)), fitted((0, 1), (0, 1))
    for one, two in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)
    assert any(np.abs(one - two).max() > 1e-4 for one, two in zip(whole, other, strict=True))


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


@pytest.mark.slow
def test_the_best_threshold_is_chosen_and_kept(make_answerer, questions, tmp_path):
    answerer = make_answerer()
    chosen = answerer.choose_null_threshold(questions)
    best = answerer.score(questions)["f1"]
    for threshold in (None, -50.0, chosen + 0.5, chosen - 0.5):
        answerer.null_threshold = threshold
        assert answerer.score(questions)["f1"] <= best + 1e-9
    answerer.null_threshold = chosen
    answerer.save_to_preset(tmp_path)
    assert tasks.QuestionAnswerer.from_preset(tmp_path).null_threshold == chosen
    with pytest.raises(BertEmbedError, match="with and without an answer"):
        answerer.choose_null_threshold(questions[:2])


def reloaded(answerer, place):
    if place.suffix == ".keras":
        answerer.save(place)
        return keras.saving.load_model(place)
    answerer.save_to_preset(place)
    assert models.load_encoder(place).encode(["a film"]).shape == (1, 22)
    assert models.load(place).hidden_dim == 16
    return tasks.QuestionAnswerer.from_preset(place, dtype=answerer.dtype_policy.name)


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        pytest.param("float32", "preset", marks=pytest.mark.slow),
        pytest.param("float32", "model.keras", marks=pytest.mark.slow),
        pytest.param("mixed_float16", "preset", marks=pytest.mark.slow),
        pytest.param("mixed_float16", "model.keras", marks=pytest.mark.slow),
    ],
)
def test_saving(dtype, name, make_answerer, questions, tmp_path):
    options = {"language": "zh", "null_threshold": 0.5, "dropout": 0.1}
    answerer = make_answerer(options=options, dtype=dtype, **FUSED)
    expected = answerer.answer(questions[:2])
    again = reloaded(answerer, tmp_path / name)
    config = again.get_config()
    assert {option: config[option] for option in options} == options
    assert again.preprocessor.get_config() == answerer.preprocessor.get_config()
    same_answers(again.answer(questions[:2]), expected, 1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_stays_near(dtype, make_answerer, questions):
    exact, half = (make_answerer(dtype=name, **FUSED) for name in ("float32", dtype))
    half.set_weights(exact.get_weights())
    expected = exact.predict(questions, verbose=0)["start_logits"]
    logits = half.predict(questions, verbose=0)["start_logits"]
    assert logits.dtype == "float32"
    real = expected > -1e8
    distance = np.abs(logits - expected)[real].max() / np.abs(expected[real]).max()
    assert 0 < distance < 0.2
    assert np.isfinite(half.fit(questions[:2], verbose=0).history["loss"]).all()


@pytest.mark.slow
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
    with pytest.raises(BertEmbedError, match="Received: 2 for 6 examples"):
        answerer.fit(questions, sample_weight=[1, 2])
    with pytest.raises(BertEmbedError, match="leaves no example on one side"):
        answerer.fit(questions, validation_split=0.99)
    for ask in (answerer.answer, answerer.fit):
        with pytest.raises(BertEmbedError, match="`batch_size` must be an int of at least 1"):
            ask(questions, batch_size=0)
