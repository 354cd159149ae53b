"""Saved probes: they answer bit for bit, and files that are none are refused."""

import json
import zipfile

import numpy as np
import pytest
from gensim.test.utils import datapath
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline

from tf_bertembed.common import (
    BertEmbedError,
    FileFormatError,
    MissingFileError,
    OutputExistsError,
)
from tf_bertembed.probe import (
    BertEmbedTransformer,
    ProbeClassifier,
    WhiteningTransformer,
    WordVectorTransformer,
)

METHODS = ("predict", "predict_proba", "decision_function")


@pytest.fixture(scope="module")
def reviews():
    with open(datapath("pang_lee_polarity.cor"), encoding="cp1252") as file:
        labels, texts = zip(*(line.rstrip().split(maxsplit=1) for line in file), strict=True)
    return list(texts)[::5], np.array(labels[::5])


@pytest.fixture(scope="module")
def fitted(glove, reviews):
    return ProbeClassifier(WordVectorTransformer(glove), C=[0.01, 1.0]).fit(*reviews)


@pytest.fixture
def saved(fitted, tmp_path):
    fitted.save(tmp_path / "probe")
    return tmp_path / "probe"


def assert_same(first, second, X):
    for method in METHODS:
        expected, got = (getattr(one, method)(X) for one in (first, second))
        np.testing.assert_array_equal(got, expected)
        assert got.dtype == expected.dtype


def test_answers_bit_for_bit(fitted, saved, reviews):
    again = ProbeClassifier.load(saved)
    assert_same(fitted, again, reviews[0])
    assert sorted(path.name for path in saved.iterdir()) == ["arrays.npz", "probe.json"]
    assert (again.C_, again.score(*reviews)) == (fitted.C_, fitted.score(*reviews))
    np.testing.assert_array_equal(again.scores_, fitted.scores_)
    assert type(again.features) is WordVectorTransformer
    assert again.get_params()["features__pooling"] == "mean"
    # What was loaded can be fitted anew.
    assert_same(again.fit(*reviews), fitted, reviews[0])


@pytest.mark.parametrize("kind", ["short", "object", "whole", "truth", "real", "unsigned"])
@pytest.mark.parametrize("count", [2, 3])
def test_labels_come_back_as_they_were(kind, count, tmp_path):
    if (kind, count) == ("truth", 3):
        count = 2
    names = {
        "short": np.array(["bad", "好 \n\"'", "meh"]),
        "object": np.array(["bad", "good", "meh"], dtype=object),
        "whole": np.array([-3, 0, 2**62]),
        "truth": np.array([False, True]),
        "real": np.array([1.0, 2.0, 3.0]),
        "unsigned": np.array([1, 2, 255], "uint8"),
    }[kind]
    X = np.random.default_rng(0).normal(size=(30, 4)).astype("float32")
    y = names[np.arange(30) % count]
    classifier = ProbeClassifier(None, C=[0.1, 1.0]).fit(X, y)
    classifier.save(tmp_path / "probe")
    again = ProbeClassifier.load(tmp_path / "probe")
    assert again.classes_.dtype == classifier.classes_.dtype
    assert again.n_features_in_ == 4
    assert_same(classifier, again, X)
    with pytest.raises(ValueError, match="expecting 4 features"):
        again.predict(X[:, :3])


def test_a_bert_joined_with_vectors(glove, preset, reviews, tmp_path):
    union = FeatureUnion(
        [
            ("bert", Pipeline([("only", BertEmbedTransformer(preset, sequence_length=16))])),
            ("words", WordVectorTransformer(glove, limit=500)),
        ]
    )
    texts, labels = reviews
    classifier = ProbeClassifier(union, C=0.1, class_weight={1: 2, 2: 1.5})
    labels = (labels == labels[0]) + 1
    classifier.fit(texts, labels).save(tmp_path / "probe")
    again = ProbeClassifier.load(tmp_path / "probe")
    assert_same(classifier, again, texts)
    assert again.class_weight == {1: 2, 2: 1.5}
    assert again.get_params()["features__words__limit"] == 500


def test_what_features_learned_is_kept(glove, preset, reviews, tmp_path):
    words = WordVectorTransformer(glove, weighting="sif", components_removed=1)
    white = make_pipeline(BertEmbedTransformer(preset), WhiteningTransformer(4))
    texts, labels = reviews
    classifier = ProbeClassifier(FeatureUnion([("words", words), ("white", white)]), C=0.1)
    classifier.fit(texts, labels).save(tmp_path / "probe")
    assert_same(classifier, ProbeClassifier.load(tmp_path / "probe"), texts)
    white.set_output(transform="pandas")
    classifier = ProbeClassifier(white, C=0.1).fit(texts, labels)
    classifier.save(tmp_path / "named")
    assert_same(classifier, ProbeClassifier.load(tmp_path / "named"), texts)


def test_without_scaling_and_sparse(tmp_path):
    sparse = pytest.importorskip("scipy.sparse")
    X = sparse.random(40, 12, 0.4, format="csr", random_state=0)
    y = np.arange(40) % 2
    for scale in (True, False):
        classifier = ProbeClassifier(None, C=1.0, scale=scale).fit(X, y)
        classifier.save(tmp_path / "probe", overwrite=True)
        assert_same(classifier, ProbeClassifier.load(tmp_path / "probe"), X)


def test_names_of_columns(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": range(10), "b": [3, 1, 4, 1, 5, 9, 2, 6, 5, 3]})
    classifier = ProbeClassifier(None, C=1.0).fit(frame, [0, 1] * 5)
    classifier.save(tmp_path / "probe")
    again = ProbeClassifier.load(tmp_path / "probe")
    assert_same(classifier, again, frame)
    with pytest.raises(ValueError, match="feature names"):
        again.predict(frame[["b", "a"]])


def test_what_stands_there_stays(fitted, saved):
    before = (saved / "probe.json").read_bytes()
    with pytest.raises(OutputExistsError, match="already exists"):
        fitted.save(saved)
    fitted.save(saved, overwrite=True)
    assert (saved / "probe.json").read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == ["probe"]


def test_what_cannot_be_saved(glove, reviews, tmp_path):
    class Mine(WordVectorTransformer):
        pass

    texts, labels = reviews
    with pytest.raises(ValueError, match="not fitted yet"):
        ProbeClassifier().save(tmp_path / "probe")
    for features, message in (
        (TfidfVectorizer(), r"one of BertEmbedTransformer, .*Received: TfidfVectorizer"),
        (Mine(glove), r"Received: Mine"),
        (
            FeatureUnion([("a", WordVectorTransformer(glove))], transformer_weights={"a": 2}),
            "transformer_weights",
        ),
    ):
        with pytest.raises(BertEmbedError, match=message):
            ProbeClassifier(features, C=1.0).fit(texts, labels).save(tmp_path / "probe")
    from sklearn.model_selection import KFold

    X, y = np.eye(4), [0, 1, 0, 1]
    with pytest.raises(BertEmbedError, match="`cv` is a KFold"):
        ProbeClassifier(None, C=1.0, cv=KFold(2)).fit(X, y).save(tmp_path / "probe")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(format="3"), r"'tf_bertembed probe 2' was expected\. Received: '3'"),
        (lambda d: d.pop("features"), r"keys \['features'\] are missing"),
        (lambda d: d.update(settings=[]), "`settings` must hold"),
        (lambda d: d["settings"].update(evil=1), "`settings` must hold"),
        (lambda d: d.update(C=-1.0), "`C` must be a number above 0"),
        (lambda d: d.update(C="1"), "`C` must be a number above 0"),
        (lambda d: d.update(classes=None), "`classes` must hold"),
        (lambda d: d["classes"].update(values=["a"]), "`classes` must hold"),
        (lambda d: d["classes"].update(values=["a", 3]), "`classes` must hold"),
        (lambda d: d["classes"].update(values=["a", "b", "c"]), r"'coef' must be floats of \(3"),
        (lambda d: d["classes"].update(dtype="V8"), "`classes` must hold"),
        (lambda d: d["classes"].update(dtype="<U2"), "`classes` must hold"),
        (lambda d: d.update(n_features_in=7), r"`n_features_in` must be 50\. Received: 7"),
        (lambda d: d.update(n_iter="many"), "`n_iter`"),
        (lambda d: d.update(class_weight=[["a"]]), "`class_weight` must hold pairs"),
        (lambda d: d.update(features="os.system"), "A transformer was expected"),
        (lambda d: d["features"].update({"class": "os.system"}), r"Received: 'os\.system'"),
        (lambda d: d["features"].update({"class": ["Pipeline"]}), r"Received: .*'Pipeline'"),
        (lambda d: d["features"].update({"class": "Pipeline"}), "Pipeline needs `steps`"),
        (lambda d: d["features"]["settings"].update(evil=1), r"has no settings \['evil'\]"),
        (lambda d: d["features"]["settings"].update(cache="/"), r"has no settings \['cache'\]"),
        (lambda d: d["features"]["settings"].pop("path_or_name"), "cannot be made"),
        (lambda d: d["features"]["learned"].update(__class__=1), "learns no '__class__'"),
        (lambda d: d["features"]["learned"].update(transform=1), "learns no 'transform'"),
        (lambda d: d["features"]["learned"].update(word_weights_=[1]), "learns no 'word_weights_'"),
        (lambda d: d["features"]["learned"].update(n_features_out_="a"), "learns no 'n_features"),
        (
            lambda d: d["features"]["learned"].pop("removal_"),
            r"\['removal_'\], which are miss",
        ),
        (
            lambda d: d["features"]["learned"].update(removal_={"array": "none"}),
            "'removal_', is missing",
        ),
    ],
)
def test_descriptions_that_cannot_be(change, message, saved):
    path = saved / "probe.json"
    description = json.loads(path.read_text(encoding="utf-8"))
    change(description)
    path.write_text(json.dumps(description), encoding="utf-8")
    with pytest.raises(FileFormatError, match=message) as caught:
        ProbeClassifier.load(saved)
    assert str(path) in str(caught.value)


def test_nested_without_end(saved):
    path = saved / "probe.json"
    description = json.loads(path.read_text(encoding="utf-8"))
    inner = json.dumps(description.pop("features"))
    outer = json.dumps(description).removesuffix("}")
    opening, closing = '{"class": "Pipeline", "steps": [["a", ', "]]}"
    nested = 2000 * opening + inner + 2000 * closing
    path.write_text(f'{outer}, "features": {nested}}}', encoding="utf-8")
    with pytest.raises(FileFormatError, match="nested too deeply"):
        ProbeClassifier.load(saved)


def test_arrays_that_cannot_be(saved):
    path = saved / "arrays.npz"
    whole = path.read_bytes()
    arrays = dict(np.load(path, allow_pickle=False))

    def refused(message):
        with pytest.raises(FileFormatError, match=message) as caught:
            ProbeClassifier.load(saved)
        assert str(saved) in str(caught.value)

    for broken in (whole[: len(whole) // 2], b"no archive", b"\x93NUMPY"):
        path.write_bytes(broken)
        refused("The arrays are broken")
    damaged = bytearray(whole)
    damaged[whole.index(b"\x93NUMPY") + 200] ^= 0xFF
    path.write_bytes(damaged)
    refused("The arrays are broken")
    np.savez(path, **{**arrays, "coef": np.array([object()])})
    refused("The arrays are broken: .*allow_pickle")
    np.savez_compressed(path, **arrays)
    refused("not compressed")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("coef.txt", "1")
    refused("is no array")
    for name, array, message in (
        ("coef", arrays["coef"] * np.nan, "'coef' holds numbers that are not finite"),
        ("coef", arrays["coef"][:, 1:], r"'scale' must be floats of \(49,\).*of \(50,\)"),
        ("coef", arrays["coef"].astype("int64"), "'coef' must be floats.*int64"),
        ("scale", np.zeros(50), "'scale' must not hold 0"),
        ("intercept", np.zeros((1, 1)), "'intercept' must be floats"),
    ):
        np.savez(path, **{**arrays, name: array})
        refused(message)
    np.savez(path, **{name: array for name, array in arrays.items() if name != "coef"})
    refused("'coef' must be floats .*Received: nothing")
    path.unlink()
    with pytest.raises(MissingFileError, match=r"arrays\.npz does not exist"):
        ProbeClassifier.load(saved)


def test_no_probe(tmp_path):
    with pytest.raises(MissingFileError, match=r"probe\.json does not exist.*ProbeClassifier"):
        ProbeClassifier.load(tmp_path)
