"""Folders in and out against transformers itself (its version is in the environment)."""

import json

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tf_bertembed import models, tasks
from tf_bertembed.common import BertEmbedError, FileFormatError

SIZES = {
    "vocab_size": 40,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 24,
}
HEADS = ["BertForPreTraining", "BertForMaskedLM", "BertForSequenceClassification"]
TOLERANCE = 1e-5
FEATURES = {
    "token_ids": np.array([[2, 9, 39, 12, 30, 3], [2, 7, 3, 0, 0, 0], [2, 3, 0, 0, 0, 0]], "int32"),
    "segment_ids": np.array([[0, 0, 0, 1, 1, 1], [0] * 6, [0] * 6], "int32"),
    "mask_positions": np.array([[1, 4], [1, 0], [0, 1]], "int32"),
}
FEATURES["padding_mask"] = FEATURES["token_ids"] != 0
TEXTS = {name: value for name, value in FEATURES.items() if name != "mask_positions"}


@pytest.fixture(scope="module")
def made(transformers, tmp_path_factory):
    """Write a model of transformers whose every weight is random, once for each configuration."""
    import torch

    known = {}

    def made(kind, **config):
        key = json.dumps([kind, config])
        if key not in known:
            torch.manual_seed(0)
            cls = getattr(transformers, kind)
            model = cls(transformers.BertConfig(**{**SIZES, **config})).eval()
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.add_(torch.randn_like(parameter) * 0.3)
            folder = tmp_path_factory.mktemp(kind)
            model.save_pretrained(folder)
            known[key] = model, folder
        return known[key]

    return made


@pytest.fixture
def changed(made, tmp_path):
    """A folder with other tensors or another configuration than transformers wrote."""

    def changed(kind, change=dict, **config):
        source = made(kind)[1]
        settings = {**json.loads((source / "config.json").read_text()), **config}
        (tmp_path / "config.json").write_text(json.dumps(settings))
        save_file(change(load_file(source / "model.safetensors")), tmp_path / "model.safetensors")
        return tmp_path

    return changed


def answers(model, features=FEATURES):
    """What a model of transformers answers, arrays by name."""
    import torch

    names = {
        "input_ids": "token_ids",
        "token_type_ids": "segment_ids",
        "attention_mask": "padding_mask",
    }
    with torch.no_grad():
        outputs = model(**{n: torch.tensor(features[f]).long() for n, f in names.items()})
    return {name: value.numpy() for name, value in outputs.items()}


def assert_same(got, expected):
    """The largest difference over the largest magnitude is small."""
    assert np.shape(got) == expected.shape
    assert np.abs(np.asarray(got) - expected).max() <= TOLERANCE * np.abs(expected).max()


def assert_agree(task, model):
    """A task answers what a model of transformers does."""
    expected = answers(model)
    if isinstance(task, tasks.TextClassifier):
        assert_same(task(TEXTS, training=False), expected["logits"])
        return
    got = task(FEATURES, training=False)
    logits = expected["logits" if "logits" in expected else "prediction_logits"]
    places = FEATURES["mask_positions"][..., None]
    assert_same(got["masked_lm"], np.take_along_axis(logits, places, axis=1))
    if task.next_sentence:
        # Class 0 of BERT is "the second text follows", which here is 1.
        assert_same(got["next_sentence"][:, ::-1], expected["seq_relationship_logits"])


def assert_agree_encoders(backbone, model):
    got, expected = backbone(TEXTS, training=False), answers(model)
    mask = FEATURES["padding_mask"]
    sequence = np.asarray(got["sequence_output"])
    assert_same(sequence[mask], expected["last_hidden_state"][mask])
    if "pooler_output" in expected:
        assert_same(got["pooled_output"], expected["pooler_output"])


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"hidden_act": "gelu_new", "layer_norm_eps": 1e-2},
        {"hidden_act": "relu", "type_vocab_size": 5},
    ],
    ids=["gelu", "gelu-new", "relu"],
)
def test_encoders(config, made):
    model, folder = made("BertModel", **config)
    assert_agree_encoders(models.load(folder), model)


@pytest.mark.parametrize("kind", ["BertForMultipleChoice", "BertForNextSentencePrediction"])
def test_the_encoder_of_a_head_that_no_task_has(kind, made):
    model, folder = made(kind)
    assert_agree_encoders(models.load(folder), model.bert)
    head = r"classifier\.bias" if "Choice" in kind else r"cls\.seq_relationship\.bias"
    with pytest.raises(FileFormatError, match=rf"needs a head of .*{kind}.*{head}.*encoder alone"):
        tasks.load_huggingface(folder)


@pytest.mark.parametrize("kind", HEADS)
def test_heads_in_and_out(transformers, kind, made, tmp_path):
    model, folder = made(kind, hidden_act="gelu_new", layer_norm_eps=1e-3)
    task = tasks.load_huggingface(folder)
    assert_agree(task, model)
    if kind != "BertForSequenceClassification":
        assert task.next_sentence is (kind == "BertForPreTraining")
    tasks.save_huggingface(task, tmp_path / "out")
    again, report = getattr(transformers, kind).from_pretrained(
        tmp_path / "out", output_loading_info=True
    )
    assert not any(report.values()), report
    assert again.config.architectures == [kind]
    assert_agree(task, again.eval())
    written = load_file(tmp_path / "out" / "model.safetensors")
    read = load_file(folder / "model.safetensors")
    assert written.keys() == read.keys()
    for name, value in read.items():
        np.testing.assert_array_equal(written[name], value, err_msg=name)


def test_a_decoder_of_its_own(transformers, made, tmp_path):
    model, folder = made("BertForPreTraining", tie_word_embeddings=False)
    task = tasks.load_huggingface(folder)
    assert not task.tie_weights
    assert_agree(task, model)
    tasks.save_huggingface(task, tmp_path / "out")
    again, report = transformers.BertForPreTraining.from_pretrained(
        tmp_path / "out", output_loading_info=True
    )
    assert not any(report.values()), report
    assert not again.config.tie_word_embeddings
    assert_agree(task, again.eval())


def test_many_labels_and_dropouts(made):
    names = {0: "world", 1: "sport", 2: "tech"}
    model, folder = made(
        "BertForSequenceClassification", id2label=names, classifier_dropout=0.4, num_labels=3
    )
    task = tasks.load_huggingface(folder, pair=True)
    assert task.labels == list(names.values())
    assert (task.dropout, task.backbone.dropout) == (0.4, 0.1)
    assert task.text_inputs == ("text_a", "text_b")
    assert_agree(task, model)


def test_any_number_of_labels(transformers, made, tmp_path):
    several = "multi_label_classification"
    model, folder = made("BertForSequenceClassification", problem_type=several)
    task = tasks.load_huggingface(folder)
    assert task.multi_label
    assert_agree(task, model)
    tasks.save_huggingface(task, tmp_path / "out")
    assert transformers.AutoConfig.from_pretrained(tmp_path / "out").problem_type == several


def with_decoder(tensors):
    tensors["cls.predictions.decoder.weight"] = tensors["bert.embeddings.word_embeddings.weight"]
    return tensors


def old_names(tensors):
    bias = tensors.pop("cls.predictions.bias")
    changed = {
        name.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta"): value
        for name, value in tensors.items()
    }
    return {**changed, "cls.predictions.decoder.bias": bias}


def without_prefix(tensors):
    return {name.removeprefix("bert."): value for name, value in tensors.items()}


@pytest.mark.parametrize("change", [with_decoder, old_names, without_prefix])
def test_other_names_of_the_same_heads(change, made, changed):
    assert_agree(
        tasks.load_huggingface(changed("BertForPreTraining", change)),
        made("BertForPreTraining")[0],
    )


def test_a_masked_lm_that_kept_its_next_sentence_head(made, changed):
    # So is bert-base-uncased published: its configuration names the one head, its file has both.
    folder = changed("BertForPreTraining", architectures=["BertForMaskedLM"])
    task = tasks.load_huggingface(folder)
    assert task.next_sentence
    assert_agree(task, made("BertForPreTraining")[0])


@pytest.mark.parametrize("number", ["float16", "bfloat16"])
def test_half_precision(number, changed):
    kind = np.dtype(getattr(ml_dtypes, number, number))
    half = changed("BertForPreTraining", lambda read: {k: v.astype(kind) for k, v in read.items()})
    task = tasks.load_huggingface(half)
    stored = load_file(half / "model.safetensors")["cls.predictions.transform.dense.weight"]
    assert stored.dtype == kind
    np.testing.assert_array_equal(
        task.masked_lm_head.transform_dense.kernel, stored.astype("float32").T
    )


def test_shards(made, tmp_path):
    model, _ = made("BertForPreTraining")
    model.save_pretrained(tmp_path, max_shard_size="8KB")
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 2
    assert_agree(tasks.load_huggingface(tmp_path), model)


def test_an_encoder_out(transformers, made, tmp_path):
    model, folder = made("BertModel", type_vocab_size=5, hidden_act="relu")
    backbone = models.load(folder, dtype="mixed_bfloat16")
    models.save_huggingface(backbone, tmp_path / "out")
    again, report = transformers.AutoModel.from_pretrained(
        tmp_path / "out", output_loading_info=True
    )
    assert not any(report.values()), report
    for name, value in answers(model).items():
        np.testing.assert_array_equal(answers(again.eval())[name], value)


def test_sinusoidal_positions_out(transformers, tmp_path):
    backbone = models.BertEmbedBackbone(40, 1, 2, 16, 32, position_embedding="sinusoidal")
    models.save_huggingface(backbone, tmp_path / "out")
    model = transformers.BertModel.from_pretrained(tmp_path / "out").eval()
    assert_agree_encoders(backbone, model)


def without(name):
    return lambda tensors: {key: value for key, value in tensors.items() if key != name}


@pytest.mark.parametrize(
    ("kind", "change", "config", "message"),
    [
        (
            "BertForPreTraining",
            without("cls.predictions.transform.dense.weight"),
            {},
            r"The tensor cls\.predictions\.transform\.dense\.weight is missing",
        ),
        (
            "BertForMaskedLM",
            dict,
            {"architectures": ["BertForPreTraining"]},
            r"The tensor cls\.seq_relationship\.weight is missing",
        ),
        (
            "BertForPreTraining",
            lambda tensors: {
                **tensors,
                "cls.predictions.decoder.weight": np.ones((40, 16), "float32"),
            },
            {},
            r"cls\.predictions\.decoder\.weight differs from bert\.embeddings\.word_embeddings",
        ),
        (
            "BertForMaskedLM",
            dict,
            {"tie_word_embeddings": False},
            r"The tensor cls\.predictions\.decoder\.weight is missing",
        ),
        (
            "BertForSequenceClassification",
            dict,
            {"id2label": {"0": "a", "1": "b", "2": "c"}},
            r"classifier\.weight has the shape \(2, 16\).* should be \(3, 16\)",
        ),
        (
            "BertForSequenceClassification",
            dict,
            {"id2label": {"1": "a", "2": "b"}},
            r"`id2label` must name the classes 0, 1",
        ),
        ("BertForSequenceClassification", dict, {"id2label": {"0": "a"}}, "is a regression"),
        (
            "BertForSequenceClassification",
            dict,
            {"problem_type": "regression"},
            "'multi_label_classification' or null. Received: 'regression'",
        ),
        (
            "BertForSequenceClassification",
            dict,
            {"classifier_dropout": 1.5},
            r"`classifier_dropout` must be .* Received: 1\.5",
        ),
        ("BertForMaskedLM", dict, {"is_decoder": True}, "`is_decoder` must be False"),
        ("BertModel", dict, {}, "heads: none"),
    ],
)
def test_bad_folders(kind, change, config, message, changed):
    with pytest.raises(FileFormatError, match=message):
        tasks.load_huggingface(changed(kind, change, **config))


def test_arguments_that_do_not_suit(made):
    folder = made("BertForMaskedLM")[1]
    with pytest.raises(BertEmbedError, match=r"`pair` is for classifiers.*BertForMaskedLM"):
        tasks.load_huggingface(folder, pair=True)
    with pytest.raises(BertEmbedError, match=r"Received: \['input_fusion'\]"):
        tasks.load_huggingface(folder, input_fusion="add")
