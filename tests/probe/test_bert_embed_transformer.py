import contextlib
import os
import pickle
import pty
import shutil
import sys
import threading
from pathlib import Path

import joblib
import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, ShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tf_bertembed import export, models, tasks, text, vectors
from tf_bertembed.common import BertEmbedError, MissingFileError
from tf_bertembed.probe import BertEmbedTransformer


@pytest.fixture(scope="module")
def fitted(preset, texts):
    return BertEmbedTransformer(preset, batch_size=5).fit(texts)


@pytest.fixture(scope="module")
def fused_run(classifier, glove, tmp_path_factory):
    """A classifier that word vectors join at both ends, and its folder."""
    keras.utils.set_random_seed(1)
    words, matrix = vectors.static_table(vectors.load(glove))
    sizes = {"static_vocabulary_size": len(matrix), "static_dim": matrix.shape[1]}
    fusion = {"input_fusion": "gate", "output_fusion": "concat"}
    config = {**classifier.backbone.get_config(), **sizes, **fusion}
    backbone = models.BertEmbedBackbone.from_config(config)
    backbone.set_static_vectors(matrix)
    preprocessor = text.Preprocessor(classifier.preprocessor.tokenizer, 32, static_words=words)
    fused = tasks.TextClassifier(backbone, 2, preprocessor, pooling="mean")
    folder = tmp_path_factory.mktemp("runs") / "fused"
    fused.save_to_preset(str(folder))
    return folder, fused


def near(got, expected):
    expected = np.asarray(expected)
    return np.abs(np.asarray(got) - expected).max() / np.abs(expected).max() <= 1e-5


def test_rows_in_the_callers_order(fitted, texts, expected):
    vectors = fitted.transform(texts)
    assert (vectors.shape, vectors.dtype) == ((12, 8), "float32")
    assert near(vectors, expected)
    order = np.random.default_rng(0).permutation(12)
    assert near(fitted.transform([texts[row] for row in order]), np.array(expected)[order])


def test_each_form_of_input(fitted, texts, expected):
    column = np.array(texts, object)[:, None]
    for form in (tuple(texts), np.array(texts), column, list(map(np.str_, texts))):
        assert near(fitted.transform(form), expected)


def test_an_exported_model(saved_model, texts, expected):
    # The folder of its versions does for the folder of one.
    assert near(BertEmbedTransformer(saved_model).fit_transform(texts), expected)
    assert BertEmbedTransformer(saved_model.parent).fit(texts[:1]).n_features_out_ == 8


def test_a_published_checkpoint_in_a_pipeline():
    films = ["A good film.", "A bad film.", "Great acting!", "Awful acting!"]
    pipeline = make_pipeline(
        BertEmbedTransformer("all-minilm-l6-v2", sequence_length=32),
        LogisticRegression(),
    )
    pipeline.fit(films, [1, 0, 1, 0])
    assert pipeline.predict(["Terrible.", "Wonderful!"]).tolist() == [0, 1]
    assert pipeline[:-1].get_feature_names_out().shape == (384,)


@pytest.mark.parametrize("pooling", ["max", "cls"])
def test_pooling(pooling, preset, classifier, texts):
    vectors = BertEmbedTransformer(preset, pooling=pooling).fit_transform(texts)
    for one, vector in zip(texts, vectors, strict=True):
        outputs = classifier.backbone(classifier.preprocessor([one]))["sequence_output"].numpy()[0]
        assert near(vector, outputs.max(0) if pooling == "max" else outputs[0])


def test_sequence_length_cuts(fitted, preset, texts):
    short = BertEmbedTransformer(preset, sequence_length=5).fit(texts)
    long = texts[-1]
    assert near(short.transform([long]), short.transform([f"{long} and more"]))
    assert not near(fitted.transform([long]), short.transform([long]))


def test_nothing_is_loaded_before_fit(tmp_path):
    transformer = BertEmbedTransformer(tmp_path / "nowhere")
    assert vars(transformer) == {
        "path": tmp_path / "nowhere",
        "pooling": None,
        "sequence_length": None,
        "batch_size": None,
        "normalize": None,
        "max_pieces": None,
        "layers": None,
        "layer_weights": None,
        "cache": None,
        "progress": False,
    }


def test_clone(fitted):
    again = clone(fitted)
    assert again.get_params() == fitted.get_params()
    assert not hasattr(again, "n_features_out_")


def test_pickle_holds_the_path_and_no_weights(fitted, texts, expected):
    stored = pickle.dumps(fitted)
    assert len(stored) < 1000
    assert near(pickle.loads(stored).transform(texts), expected)  # noqa: S301


def test_joblib_holds_no_weights_and_a_moved_folder_is_named(preset, texts, expected, tmp_path):
    shutil.copytree(preset, tmp_path / "model")
    labels = [0, 1] * 6
    pipeline = make_pipeline(BertEmbedTransformer(tmp_path / "model"), LogisticRegression())
    answers = pipeline.fit(texts, labels).predict_proba(texts)
    joblib.dump(pipeline, tmp_path / "pipeline.joblib")
    assert (tmp_path / "pipeline.joblib").stat().st_size < 4000
    again = joblib.load(tmp_path / "pipeline.joblib")
    np.testing.assert_allclose(again.predict_proba(texts), answers, rtol=1e-4)
    (tmp_path / "model").rename(tmp_path / "moved")
    again = joblib.load(tmp_path / "pipeline.joblib")
    with pytest.raises(MissingFileError, match=rf"{tmp_path}/model does not exist"):
        again.predict(texts)
    assert near(again[0].set_params(path=tmp_path / "moved").transform(texts), expected)


def test_another_model_at_the_path(preset, saved_model, classifier, texts, tmp_path):
    shutil.copytree(preset, tmp_path / "model")
    shutil.copytree(saved_model, tmp_path / "name" / "1")
    fitted = [BertEmbedTransformer(tmp_path / one).fit(texts) for one in ("model", "name")]
    stored = pickle.dumps(fitted)
    # As wide as the one before.
    other = models.BertEmbedBackbone.from_config(classifier.backbone.get_config())
    other.save_to_preset(str(tmp_path / "model"))
    shutil.copytree(saved_model, tmp_path / "name" / "2")
    (tmp_path / "name" / "2" / "note.txt").write_text("trained again")
    for again in pickle.loads(stored):  # noqa: S301
        with pytest.raises(BertEmbedError, match="holds another model than in `fit`"):
            again.transform(texts)
        assert again.fit(texts).transform(texts).shape == (12, 8)
    again = pickle.loads(stored)[1].set_params(path=tmp_path / "name" / "1")  # noqa: S301
    assert near(again.transform(texts), fitted[1].transform(texts))


class Bomb:
    """Leaves a mark where it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def test_nothing_of_a_downloaded_folder_is_unpickled(texts, tmp_path):
    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "a"])
    backbone = models.BertEmbedBackbone(6, 1, 2, 8, 16, max_sequence_length=40)
    models.save_huggingface(backbone, tmp_path / "model", tokenizer)
    bomb, mark = pickle.dumps(Bomb(tmp_path / "mark")), tmp_path / "mark"
    for name in ("pytorch_model.bin", "training_args.bin", "model.pkl", "model.joblib"):
        (tmp_path / "model" / name).write_bytes(bomb)
    BertEmbedTransformer(tmp_path / "model", cache=tmp_path / "cache").fit_transform(texts)
    (tmp_path / "model" / "model.safetensors").unlink()
    with pytest.raises(BertEmbedError, match="safetensors"):
        BertEmbedTransformer(tmp_path / "model").fit(texts)
    assert not mark.exists()
    pickle.loads(bomb)  # noqa: S301
    assert mark.exists()


@pytest.mark.slow
def test_two_processes_of_joblib(preset, texts, tmp_path):
    pipeline = make_pipeline(
        BertEmbedTransformer(preset, cache=tmp_path), StandardScaler(), LogisticRegression()
    )
    settings = {"cv": ShuffleSplit(2, test_size=6, random_state=0), "error_score": "raise"}
    alone = cross_val_score(pipeline, texts, [0, 1] * 6, **settings)
    with joblib.parallel_config("loky"):
        for cache in (None, tmp_path, tmp_path / "another"):
            pipeline.set_params(bertembedtransformer__cache=cache)
            both = cross_val_score(pipeline, texts, [0, 1] * 6, n_jobs=2, **settings)
            np.testing.assert_allclose(both, alone)


def test_settings_changed_after_fit_count(preset, texts, expected):
    transformer = BertEmbedTransformer(preset, pooling="max").fit(texts)
    assert near(transformer.set_params(pooling="mean").transform(texts), expected)


def test_layers(preset, classifier, texts):
    vectors = BertEmbedTransformer(preset, layers=[0, -1], layer_weights=[1, 3]).fit_transform(
        texts
    )
    view = classifier.backbone.with_outputs(hidden_states=True)
    for one, vector in zip(texts, vectors, strict=True):
        states = view(classifier.preprocessor([one]))["hidden_states"]
        first, last = (state.numpy()[0].mean(axis=0) for state in states)
        assert near(vector, (first + 3 * last) / 4)


def test_a_run_with_word_vectors_is_a_source_of_features(fused_run, texts):
    folder, classifier = fused_run
    features = BertEmbedTransformer(folder).fit(texts)
    embed = classifier.signatures()["embed"]
    expected = [embed(classifier.preprocessor([one]))["embedding"].numpy()[0] for one in texts]
    assert near(features.transform(texts), expected)
    assert features.n_features_out_ == classifier.backbone.output_dim == 58
    with pytest.raises(BertEmbedError, match=r"fitted with 58 features, and now gives 8"):
        clone(features).fit(texts).set_params(layers=-1).transform(texts)
    # Layers are the encoder's own.
    assert BertEmbedTransformer(folder, layers=-1).fit(texts).n_features_out_ == 8


def test_grid_search_over_pooling_and_layers(preset, texts, tmp_path):
    search = GridSearchCV(
        make_pipeline(BertEmbedTransformer(preset, cache=tmp_path), LogisticRegression()),
        {
            "bertembedtransformer__pooling": ["mean", "cls"],
            "bertembedtransformer__layers": [None, [0, 1]],
        },
        cv=ShuffleSplit(2, test_size=6, random_state=0),
        error_score="raise",
    )
    search.fit(texts, [0, 1] * 6)
    assert len(search.cv_results_["mean_test_score"]) == 4
    assert search.predict(texts).shape == (12,)
    # Each text is encoded once for each setting, in whichever folds it is.
    assert len(list(tmp_path.glob("*.sqlite"))) == 4


def test_the_cache_is_a_folder_of_the_users(preset, texts, expected, tmp_path):
    cached = BertEmbedTransformer(preset, cache=tmp_path / "cache")
    assert near(cached.fit_transform(texts), expected)
    again = clone(cached).fit(texts)
    np.testing.assert_array_equal(again.transform(texts), cached.transform(texts))
    # The model was not loaded for it.
    assert again._loaded[1]._encoder is None
    with pytest.raises(BertEmbedError, match="is a file; a folder was expected"):
        BertEmbedTransformer(preset, cache=preset / "config.json").fit(texts)


@pytest.mark.parametrize("shown", [False, True])
def test_progress_goes_to_a_terminal(shown, preset, texts, monkeypatch):
    terminal, side = pty.openpty()
    written = bytearray()

    def read():
        # A terminal that nobody reads holds its writers up; it fails once it has none.
        with contextlib.suppress(OSError):
            while part := os.read(terminal, 10_000):
                written.extend(part)

    reader = threading.Thread(target=read)
    reader.start()
    with os.fdopen(side, "w") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        BertEmbedTransformer(preset, progress=shown).fit_transform(texts)
        monkeypatch.undo()
    reader.join(30)
    os.close(terminal)
    assert (b"Encoding texts" in written) == shown
    assert bool(written) == shown


def test_missing_paths(tmp_path):
    with pytest.raises(MissingFileError, match=r"nowhere does not exist.*all-minilm-l6-v2"):
        BertEmbedTransformer(tmp_path / "nowhere").fit(["a"])
    with pytest.raises(MissingFileError, match=r"config\.json does not exist"):
        BertEmbedTransformer(tmp_path).fit(["a"])


def test_a_checkpoint_without_a_tokenizer(classifier, tmp_path):
    classifier.backbone.save_to_preset(str(tmp_path))
    with pytest.raises(BertEmbedError, match=r"vocab\.txt does not exist|tokenizer"):
        BertEmbedTransformer(tmp_path).fit(["a"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sequence_length": 41}, r"position table of .*Received: 41; at most: 40"),
        ({"sequence_length": 2}, "at least 3"),
        ({"normalize": "no"}, r"`normalize` must be True, False or None\. Received: 'no'"),
        ({"pooling": "sum"}, r"`pooling` must be one of .*'sum'"),
        ({"batch_size": 0}, r"`batch_size` must be an int of at least 1\. Received: 0"),
        ({"batch_size": "4"}, r"`batch_size` must be an int of at least 1\. Received: '4'"),
        ({"cache": True}, r"`cache` must be the path of a folder\. Received: True"),
    ],
)
def test_settings_that_cannot_be(arguments, message, preset):
    with pytest.raises(BertEmbedError, match=message):
        BertEmbedTransformer(preset, **arguments).fit(["a"])


def test_an_exported_model_has_its_own_settings(saved_model):
    for arguments in (
        *({"pooling": "mean"}, {"sequence_length": 8}, {"normalize": True}),
        *({"layers": -1}, {"layers": np.array([0, 1])}, {"layer_weights": [1]}),
    ):
        with pytest.raises(BertEmbedError, match="its own pooling and length"):
            BertEmbedTransformer(saved_model, **arguments).fit(["a"])


def test_an_exported_model_of_pairs(classifier, tmp_path):
    pairs = tasks.TextClassifier(classifier.backbone, 2, classifier.preprocessor, pair=True)
    path = export.export_saved_model(pairs, tmp_path / "pairs")
    with pytest.raises(BertEmbedError, match=r"no signature `embed` that takes `text`.*text_a"):
        BertEmbedTransformer(path).fit(["a"])


def test_the_longest_texts_fit_the_table(preset):
    backbone = models.load(preset)
    long = BertEmbedTransformer(preset, sequence_length=backbone.max_sequence_length)
    assert np.isfinite(long.fit_transform(["a b c " * 100])).all()


def test_a_vocabulary_larger_than_the_token_table(classifier, tmp_path):
    tokenizer = classifier.preprocessor.tokenizer
    pieces = tokenizer.vocabulary_size()
    backbone = models.BertEmbedBackbone(pieces - 1, 1, 2, 8, 16, max_sequence_length=40)
    small = tasks.TextClassifier(backbone, 2, classifier.preprocessor)
    small.save_to_preset(str(tmp_path / "small"))
    with pytest.raises(BertEmbedError, match=rf"{pieces} pieces, .* only {pieces - 1}"):
        BertEmbedTransformer(tmp_path / "small").fit(["a"])
