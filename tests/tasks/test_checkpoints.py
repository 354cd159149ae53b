import json
import shutil
from pathlib import Path

import h5py
import keras_nlp
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tf_bertembed import models, probe, tasks, text
from tf_bertembed.common import (
    BertEmbedError,
    FileFormatError,
    MissingFileError,
    OutputExistsError,
)

PIECES = [*text.SPECIAL_TOKENS, "one", "two", "##s"]


def make_backbone(**arguments):
    return models.BertEmbedBackbone(8, 1, 2, 8, 16, max_sequence_length=16, **arguments)


@pytest.fixture(scope="module")
def tokenizer():
    return text.BertEmbedTokenizer(PIECES)


@pytest.fixture(scope="module")
def folders(tokenizer, google_checkpoints, tmp_path_factory):
    """A folder of every format that can be imported, by its name."""
    place = tmp_path_factory.mktemp("folders")
    preprocessor = text.Preprocessor(tokenizer, sequence_length=12)
    models.save_huggingface(make_backbone(), place / "encoder", tokenizer)
    classifier = tasks.TextClassifier(make_backbone(), ["no", "yes"], preprocessor)
    tasks.save_huggingface(classifier, place / "classifier")
    tasks.save_huggingface(tasks.Pretrainer(make_backbone(), preprocessor), place / "pretrainer")
    google_checkpoints.write_google(place / "uncased_google")
    kept = google_checkpoints.google_variables().items()
    kept = {n: v for n, v in kept if not n.startswith("cls/")}
    google_checkpoints.write_google(place / "headless", kept)
    theirs = keras_nlp.models.BertBackbone(8, 1, 2, 8, 16, max_sequence_length=16)
    their_preprocessor = keras_nlp.models.BertTextClassifierPreprocessor(
        keras_nlp.models.BertTokenizer(PIECES, lowercase=True), sequence_length=10
    )
    task = keras_nlp.models.BertTextClassifier(theirs, 2, their_preprocessor)
    task.save_to_preset(str(place / "preset"))
    return place


@pytest.fixture(scope="module")
def imported(folders, tmp_path_factory):
    """What `import_checkpoint` made of a folder, once for all tests that do not change it."""
    place, made = tmp_path_factory.mktemp("imported"), {}

    def get(name):
        if name not in made:
            made[name] = tasks.import_checkpoint(folders / name, place / name)
        return place / name, made[name]

    return get


def answer(folder):
    """What the encoder of a folder makes of two texts, through the folder's own tokenizer."""
    backbone = models.load(folder)
    features = text.Preprocessor(models.load_tokenizer(folder), 8)(["one twos", "two"])
    mask = features["padding_mask"].numpy()
    return np.asarray(backbone(features)["sequence_output"])[mask]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("encoder", {"format": "huggingface", "task": None, "sequence_length": 16}),
        ("classifier", {"task": "TextClassifier", "sequence_length": 12, "left_out": []}),
        ("pretrainer", {"task": "Pretrainer", "activation": "gelu"}),
        ("uncased_google", {"format": "google", "task": "Pretrainer", "sequence_length": 12}),
        ("headless", {"format": "google", "task": None, "activation": "gelu_tanh"}),
        (
            "preset",
            {
                "format": "keras-nlp",
                "sequence_length": 10,
                "left_out": ["the head of BertTextClassifier"],
            },
        ),
    ],
)
def test_what_is_imported(name, expected, folders, imported):
    run, report = imported(name)
    assert report | expected == report
    assert json.loads(json.dumps(report)) == report
    assert (report["source"], report["output"]) == (str(folders / name), str(run))
    assert (run / "task.json").exists() == (report["task"] is not None)
    assert text.load_vocabulary(run / "vocab.txt") == models.load_tokenizer(run).get_vocabulary()
    preprocessor = text.Preprocessor.from_preset(str(run))
    assert preprocessor.sequence_length == report["sequence_length"]
    if name in ("encoder", "preset"):
        np.testing.assert_array_equal(answer(run), answer(folders / name))


def test_the_task_answers_as_before(folders, imported):
    ours = tasks.TextClassifier.from_preset(imported("classifier")[0])
    before = tasks.load_huggingface(folders / "classifier")
    texts = ["one two", "twos"]
    np.testing.assert_array_equal(ours.predict(texts, verbose=0), before.predict(texts, verbose=0))
    assert ours.labels == ["no", "yes"]


def test_an_import_is_embedded_as_its_source(folders, imported):
    run, _ = imported("preset")
    vectors, before = (
        probe.BertEmbedTransformer(str(folder)).fit_transform(["one", "two twos"])
        for folder in (run, folders / "preset")
    )
    np.testing.assert_array_equal(vectors, before)
    assert vectors.shape == (2, 8)


def test_settings_for_googles_folders(folders, tmp_path):
    report = tasks.import_checkpoint(
        folders / "uncased_google",
        tmp_path / "run",
        lowercase=False,
        activation="gelu",
        sequence_length=8,
    )
    given = {name: report[name] for name in ("lowercase", "lowercase_from", "activation")}
    assert given == {"lowercase": False, "lowercase_from": "as given", "activation": "gelu"}
    assert tasks.Pretrainer.from_preset(tmp_path / "run").preprocessor.sequence_length == 8


@pytest.mark.parametrize("name", ["classifier", "uncased_google"])
def test_the_encoder_alone(name, folders, tmp_path):
    report = tasks.import_checkpoint(folders / name, tmp_path / "run", head=False)
    assert report["task"] is None
    assert report["left_out"]
    assert not (tmp_path / "run" / "task.json").exists()


def test_the_seed_decides_what_the_checkpoint_lacks(folders, tmp_path):
    shutil.copytree(folders / "encoder", tmp_path / "theirs")
    weights = tmp_path / "theirs" / "model.safetensors"
    tensors = load_file(weights)
    save_file({n: v for n, v in tensors.items() if not n.startswith("pooler.")}, weights)
    kernels = []
    for number, seed in enumerate((1, 1, 2)):
        tasks.import_checkpoint(tmp_path / "theirs", tmp_path / str(number), seed=seed)
        with h5py.File(tmp_path / str(number) / "model.weights.h5") as file:
            kernels.append(np.array(file["layers/dense/vars/0"]))
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert np.abs(kernels[0] - kernels[2]).max() > 1e-3


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("encoder", {"lowercase": True}, r"for Google's folders.*Received: lowercase=True"),
        ("preset", {"activation": "gelu"}, r"for Google's folders.*activation='gelu'"),
        ("encoder", {"sequence_length": 17}, r"longer than .*Received: 17; at most: 16"),
        ("preset", {"sequence_length": 2}, r"`sequence_length` must be an int of at least 3"),
    ],
)
def test_arguments_that_do_not_suit(name, arguments, message, folders, tmp_path):
    with pytest.raises(BertEmbedError, match=message):
        tasks.import_checkpoint(folders / name, tmp_path / "run", **arguments)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_imported(folders, tokenizer, tmp_path):
    models.save_huggingface(make_backbone(), tmp_path / "no-words")
    with pytest.raises(MissingFileError, match=r"vocab\.txt does not exist"):
        tasks.import_checkpoint(tmp_path / "no-words", tmp_path / "run")
    make_backbone().save_to_preset(str(tmp_path / "own"))
    with pytest.raises(BertEmbedError, match=r"own is a folder of this project already"):
        tasks.import_checkpoint(tmp_path / "own", tmp_path / "run")
    with pytest.raises(OutputExistsError, match=r"own already exists\. .*--force"):
        tasks.import_checkpoint(folders / "encoder", tmp_path / "own")
    assert not (tmp_path / "run").exists()


def test_a_folder_is_replaced_when_asked_for(folders, tmp_path):
    for name in ("encoder", "classifier"):
        tasks.import_checkpoint(folders / name, tmp_path / "run", overwrite=True)
    assert (tmp_path / "run" / "task.json").exists()
    with pytest.raises(BertEmbedError):
        tasks.import_checkpoint(
            folders / "encoder", tmp_path / "run", sequence_length=99, overwrite=True
        )
    assert tasks.TextClassifier.from_preset(tmp_path / "run").labels == ["no", "yes"]


@pytest.mark.parametrize("name", ["encoder", "classifier", "pretrainer"])
def test_in_and_out_again_gives_the_same_tensors(name, folders, imported, tmp_path):
    tasks.export_checkpoint(imported(name)[0], tmp_path / "again")
    got = load_file(tmp_path / "again" / "model.safetensors")
    expected = load_file(folders / name / "model.safetensors")
    assert sorted(got) == sorted(expected)
    for tensor, value in expected.items():
        np.testing.assert_array_equal(got[tensor], value)
    configs = [
        json.loads((f / "config.json").read_text()) for f in (tmp_path / "again", folders / name)
    ]
    assert configs[0] == configs[1]


def test_out_to_keras_nlp(imported, tmp_path):
    run, _ = imported("uncased_google")
    report = tasks.export_checkpoint(run, tmp_path / "preset", "keras-nlp")
    assert (report["task"], report["left_out"]) == (None, ["the head of Pretrainer"])
    np.testing.assert_array_equal(
        keras_nlp.models.BertBackbone.from_preset(
            str(tmp_path / "preset")
        ).token_embedding.embeddings,
        models.load(run).token_embedding.embeddings,
    )


def test_gelu_is_approximated_only_when_asked_for(folders, tmp_path):
    out = tmp_path / "preset"
    with pytest.raises(BertEmbedError, match=r"off by .*--approximate"):
        tasks.export_checkpoint(folders / "classifier", out, "keras-nlp")
    assert list(tmp_path.iterdir()) == []
    report = tasks.export_checkpoint(folders / "classifier", out, "keras-nlp", approximate=True)
    assert report["activation"] == "gelu_tanh"


def test_without_the_head(imported, tmp_path):
    report = tasks.export_checkpoint(imported("classifier")[0], tmp_path / "out", head=False)
    assert (report["task"], report["left_out"]) == (None, ["the head of TextClassifier"])
    names = load_file(tmp_path / "out" / "model.safetensors")
    assert not [name for name in names if "classifier" in name]


def test_what_cannot_be_exported(folders, tokenizer, tmp_path):
    with pytest.raises(BertEmbedError, match=r"one of huggingface, keras-nlp\. Received: 'onnx'"):
        tasks.export_checkpoint(folders / "encoder", tmp_path / "out", "onnx")
    (tmp_path / "there").mkdir()
    with pytest.raises(OutputExistsError, match="there already exists"):
        tasks.export_checkpoint(folders / "encoder", tmp_path / "there")
    fused = make_backbone(static_vocabulary_size=2, static_dim=3, input_fusion="add")
    fused.save_to_preset(str(tmp_path / "fused"))
    for form in ("huggingface", "keras-nlp"):
        with pytest.raises(BertEmbedError, match=r"no place for .*input_fusion='add'"):
            tasks.export_checkpoint(tmp_path / "fused", tmp_path / "out", form)
    assert not (tmp_path / "out").exists()


def test_a_task_of_another_class(imported, tmp_path):
    shutil.copytree(imported("classifier")[0], tmp_path / "run")
    path = tmp_path / "run" / "task.json"
    content = json.loads(path.read_text())
    for change in ({"class_name": "Popen"}, {"registered_name": "mine>TextClassifier"}):
        path.write_text(json.dumps({**content, **change}))
        with pytest.raises(FileFormatError, match=r"task\.json: A task of .* was expected"):
            tasks.export_checkpoint(tmp_path / "run", tmp_path / "out")


def test_pooling_of_sentence_transformers_is_kept(folders, tmp_path):
    source = tmp_path / "theirs"
    shutil.copytree(folders / "encoder", source)
    kinds = [("Transformer", ""), ("Pooling", "pool"), ("Normalize", "norm")]
    modules = [{"path": place, "type": f"sentence_transformers.models.{k}"} for k, place in kinds]
    (source / "modules.json").write_text(json.dumps(modules))
    (source / "pool").mkdir()
    (source / "pool" / "config.json").write_text('{"pooling_mode": "cls"}')
    (source / "sentence_bert_config.json").write_text('{"max_seq_length": 6}')
    prompt = '{"prompts": {"q": "one "}, "default_prompt_name": "q"}'
    (source / "config_sentence_transformers.json").write_text(prompt)
    report = tasks.import_checkpoint(source, tmp_path / "run")
    told = {name: report[name] for name in ("pooling", "normalize", "sequence_length", "left_out")}
    assert told == {"pooling": "cls", "normalize": True, "sequence_length": 6, "left_out": []}
    vectors, before = (
        models.load_encoder(place).encode(["two", "one twos two two two"])
        for place in (tmp_path / "run", source)
    )
    np.testing.assert_array_equal(vectors, before)
    report = tasks.export_checkpoint(tmp_path / "run", tmp_path / "out")
    assert report["left_out"] == ["pooling and normalisation"]


@pytest.mark.slow
def test_minilm_in_and_out_again(tmp_path):
    folder = models.find_checkpoint("all-minilm-l6-v2")
    report = tasks.import_checkpoint("all-minilm-l6-v2", tmp_path / "run")
    assert report["sequence_length"] == 256
    assert (report["pooling"], report["normalize"]) == ("mean", True)
    texts = ["A cat sat.", "Café 我住", "word " * 300]
    vectors, before = (
        models.load_encoder(place).encode(texts) for place in (tmp_path / "run", folder)
    )
    np.testing.assert_array_equal(vectors, before)
    tasks.export_checkpoint(tmp_path / "run", tmp_path / "again")
    settings = json.loads((tmp_path / "again" / "tokenizer_config.json").read_text())
    assert settings["model_max_length"] == 256
    got = load_file(tmp_path / "again" / "model.safetensors")
    expected = load_file(Path(folder) / "model.safetensors")
    expected.pop("embeddings.position_ids", None)
    assert sorted(got) == sorted(expected)
    for tensor, value in expected.items():
        np.testing.assert_array_equal(got[tensor], value)


def test_the_source_is_never_replaced(folders, imported, tmp_path):
    source = tmp_path / "holder" / "source"
    shutil.copytree(folders / "encoder", source)
    for place in (source, source.parent, source.parent / "." / "source"):
        with pytest.raises(BertEmbedError, match=r"would replace it\. Choose another place"):
            tasks.import_checkpoint(source, place, overwrite=True)
        with pytest.raises(BertEmbedError, match="would replace it"):
            tasks.export_checkpoint(source, place, overwrite=True)
    assert (source / "model.safetensors").exists()


def test_a_run_is_moved_without_its_head(tokenizer, tmp_path):
    preprocessor = text.Preprocessor(tokenizer, sequence_length=12)
    for task in (
        tasks.TextClassifier(make_backbone(), ["no", "yes"], preprocessor),
        tasks.Pretrainer(make_backbone(), preprocessor),
    ):
        name = type(task).__name__
        task.save_to_preset(str(tmp_path / name))
        moved = tmp_path / f"{name}-moved"
        report = tasks.transfer_checkpoint(
            tmp_path / name, moved, vocabulary=[*PIECES, "three"], method="mean", head=False
        )
        assert report["task"] is None
        assert report["left_out"] == [f"the head of {name}"]
        assert report["sequence_length"] == 12
        assert not (moved / "task.json").exists()
        assert models.load(moved).vocabulary_size == 9


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_that_cannot_be(folders, tmp_path, seed):
    with pytest.raises(BertEmbedError, match=rf"`seed` must be .* 2\*\*32 - 1. Received: {seed}"):
        tasks.import_checkpoint(folders / "encoder", tmp_path / "out", seed=seed)
    assert not list(tmp_path.iterdir())
