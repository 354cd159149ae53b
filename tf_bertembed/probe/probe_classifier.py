"""A linear probe as one scikit-learn classifier: features, scaling, a regression, its C."""

import numbers
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, make_scorer
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_array, column_or_1d, get_tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from tf_bertembed.common import BertEmbedError, check_at_least, is_whole

CANDIDATES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
# A bool is a number too.
KINDS = {"strings": str, "bools": (bool, np.bool_), "numbers": numbers.Real}
DTYPES = (np.float64, np.float32)
# Below so many numbers, threads that share the products of a fit mostly wait for one another.
SMALL = 1 << 23


class ProbeClassifier(ClassifierMixin, BaseEstimator):
    """Classifies texts by a logistic regression on features that stay as they are.

    `fit` computes the features once, then tries each `C` by stratified
    cross-validation on them, with the scaling learned in each fold anew, and
    takes the one with the least mean log loss, which tells more than accuracy
    where few rows are held out (of equals the smallest). The regression is
    then fitted to all rows.

    Args:
        features: string or `pathlib.Path`, a model as for
            `BertEmbedTransformer`; or any transformer of scikit-learn, whose
            copy is fitted; `None` for input that holds the features already.
        C: float, the inverse strength of the L2 penalty; or a list of floats
            to choose from; `None` to choose from 0.0001, 0.001, ... 10.
        cv: int, the folds, of which the smallest class may leave fewer, as
            each class must be in each; or a splitter of scikit-learn.
        scale: bool. Whether each feature is brought to mean 0 and variance 1
            (sparse features to variance 1 only).
        class_weight: dict from class to weight, `"balanced"` or `None`, as for
            `LogisticRegression`.
        max_iter: int. The most iterations of the solver.
        random_state: int, `RandomState` or `None`. Shuffles rows into folds.
        n_jobs: int. The processes that try the candidates side by side.

    Attributes:
        classes_: array `[K]`. The classes, sorted.
        C_: float. What was chosen.
        candidates_: array of the `C` tried, sorted.
        scores_: array, the mean log loss of each candidate, negative; `None`
            where there was nothing to choose.
        features_: the fitted transformer, or `None`.
        scaler_: the fitted `StandardScaler`, or `None`.
        logistic_: the fitted `LogisticRegression`.

    Raises:
        BertEmbedError: in `fit`, where a setting cannot be, classes are fewer
            than two or of several kinds, or one has too few rows to choose C.

    Example:

    ```python
    import gensim, pathlib
    from tf_bertembed import probe

    data = pathlib.Path(gensim.__file__).parent / "test" / "test_data"
    lines = (data / "pang_lee_polarity.cor").read_text("cp1252").splitlines()[::10]
    labels, texts = zip(*(line.split(maxsplit=1) for line in lines))
    vectors = probe.WordVectorTransformer(data / "test_glove.txt")
    classifier = probe.ProbeClassifier(vectors).fit(texts, labels)
    assert {*classifier.predict(texts)} == {*labels} and classifier.score(texts, labels) > 0.7
    assert classifier.decision_function(texts).shape == (20,)
    classifier.save("review-probe")
    again = probe.ProbeClassifier.load("review-probe")
    assert (again.predict_proba(texts) == classifier.predict_proba(texts)).all()
    ```

    References:
        Alain and Bengio, 2016, https://arxiv.org/abs/1610.01644
    """

    def __init__(
        self,
        features="all-minilm-l6-v2",
        C=None,
        cv=5,
        scale=True,
        class_weight=None,
        max_iter=1000,
        random_state=0,
        n_jobs=None,
    ):
        self.features = features
        self.C = C
        self.cv = cv
        self.scale = scale
        self.class_weight = class_weight
        self.max_iter = max_iter
        self.random_state = random_state
        self.n_jobs = n_jobs

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if self.features is None:
            tags.input_tags.sparse = True
        else:
            tags.input_tags = get_tags(self._transformer()).input_tags
        return tags

    def fit(self, X, y):
        """Compute the features, choose C and fit the regression.

        Args:
            X: what `features` takes: a list, array or series of N strings, or
                a frame; with `features=None` numbers `[N, F]`, dense or
                sparse.
            y: list, array or series of N classes: strings, ints or bools.

        Returns:
            The classifier itself.
        """
        check_at_least(1, max_iter=self.max_iter)
        candidates = self._candidates()
        transformer = self._transformer()
        if isinstance(y, (list, tuple)):
            # While NumPy has not made strings of all.
            _check_one_kind(y)
        if transformer is None:
            X, y = validate_data(self, X, y, accept_sparse="csr", dtype=DTYPES)
        y = column_or_1d(y, warn=True)
        if y.dtype == object:
            _check_one_kind(y)
        check_classification_targets(y)
        check_consistent_length(X, y)
        classes, counts = np.unique(y, return_counts=True)
        if len(classes) < 2:
            raise BertEmbedError(
                f"A classifier needs 2 classes or more. Received: 1 class, {classes.tolist()[0]!r}."
            )
        splitter = self._splitter(classes, counts) if len(candidates) > 1 else None
        if transformer is not None:
            X = _numbers(transformer.fit_transform(X, y))
        self.features_ = transformer
        self.candidates_ = candidates
        with threadpool_limits(1 if X.size < SMALL else None, user_api="blas"):
            self._fit_regression(X, y, classes, splitter)
        return self

    def _fit_regression(self, X, y, classes, splitter):
        regression = LogisticRegression(
            C=float(self.candidates_[0]), class_weight=self.class_weight, max_iter=self.max_iter
        )
        # Taking the mean off would fill a sparse matrix.
        scaler = StandardScaler(with_mean=isinstance(X, np.ndarray)) if self.scale else None
        pipeline = Pipeline([("scaler", scaler or "passthrough"), ("regression", regression)])
        self.scores_ = None
        if splitter is not None:
            search = GridSearchCV(
                pipeline,
                {"regression__C": self.candidates_.tolist()},
                # A class may be missing from a fold of the user's own splitter.
                scoring=make_scorer(
                    log_loss,
                    response_method="predict_proba",
                    greater_is_better=False,
                    labels=classes,
                ),
                cv=splitter,
                n_jobs=self.n_jobs,
                error_score="raise",
            ).fit(X, y)
            pipeline = search.best_estimator_
            self.scores_ = search.cv_results_["mean_test_score"]
        else:
            pipeline.fit(X, y)
        self.scaler_ = pipeline["scaler"] if self.scale else None
        self.logistic_ = pipeline["regression"]
        self.C_ = float(self.logistic_.C)
        self.classes_ = self.logistic_.classes_
        # What scikit-learn asks of whatever is fitted in iterations.
        self.n_iter_ = self.logistic_.n_iter_

    def predict(self, X):
        """Predict classes.

        Args:
            X: as for `fit`.

        Returns:
            An array `[N]` of classes.
        """
        matrix = self._scaled(X)
        return self.logistic_.predict(matrix)

    def predict_proba(self, X):
        """Predict the probability of each class.

        Args:
            X: as for `fit`.

        Returns:
            An array `[N, K]`, columns in the order of `classes_`.
        """
        matrix = self._scaled(X)
        return self.logistic_.predict_proba(matrix)

    def decision_function(self, X):
        """Compute the logits of the classes.

        Args:
            X: as for `fit`.

        Returns:
            An array `[N, K]`; with two classes `[N]`, positive for the second.
        """
        matrix = self._scaled(X)
        return self.logistic_.decision_function(matrix)

    def save(self, folder, overwrite=False):
        """Write a fitted probe as JSON and NumPy arrays, with no pickle.

        The model and the vectors that the features come from stay where they
        are: their paths are kept. A cache stays behind.

        Args:
            folder: string or `pathlib.Path`. The folder to make.
            overwrite: bool. Whether to replace what stands there.

        Raises:
            OutputExistsError: where something stands there.
            BertEmbedError: where a part is none that can be loaded again: the
                features must be a transformer of `probe`, or a `Pipeline` or
                `FeatureUnion` of such, and settings plain values.
        """
        from tf_bertembed.probe.probe_classifier_files import save_probe

        check_is_fitted(self, "logistic_")
        save_probe(self, folder, overwrite)

    @classmethod
    def load(cls, folder):
        """Read what `save` wrote; nothing in it is executed.

        Args:
            folder: string or `pathlib.Path`. The folder.

        Returns:
            A fitted `ProbeClassifier`, which answers as the saved one did.

        Raises:
            MissingFileError: where a file is missing.
            FileFormatError: where a file does not hold what it should.
        """
        from tf_bertembed.probe.probe_classifier_files import load_probe

        return load_probe(cls, folder)

    def _scaled(self, X):
        check_is_fitted(self, "logistic_")
        if self.features_ is None:
            X = validate_data(self, X, reset=False, accept_sparse="csr", dtype=DTYPES)
        else:
            X = _numbers(self.features_.transform(X))
        return X if self.scaler_ is None else self.scaler_.transform(X)

    def _transformer(self):
        if isinstance(self.features, (str, Path)):
            from tf_bertembed.probe.bert_embed_transformer import BertEmbedTransformer

            return BertEmbedTransformer(self.features)
        return None if self.features is None else clone(self.features)

    def _candidates(self):
        given = CANDIDATES if self.C is None else self.C
        given = [given] if isinstance(given, numbers.Real) else given
        try:
            candidates = np.unique(np.asarray(given, "float64"))
        except (TypeError, ValueError):
            candidates = np.empty(0)
        if not candidates.size or not (candidates > 0).all():
            raise BertEmbedError(
                f"`C` must be a number above 0, a list of such, or None. Received: {self.C!r}."
            )
        return candidates

    def _splitter(self, classes, counts):
        # A string has `split` too.
        if hasattr(self.cv, "get_n_splits"):
            return self.cv
        if not is_whole(self.cv) or self.cv < 2:
            raise BertEmbedError(
                f"`cv` must be an int of at least 2 or a splitter. Received: {self.cv!r}."
            )
        if counts.min() < 2:
            raise BertEmbedError(
                f"C is chosen by cross-validation over 2 rows or more of each class. Received: 1 "
                f"row of {classes.tolist()[counts.argmin()]!r}. Give more rows, or one `C`."
            )
        return StratifiedKFold(
            min(self.cv, int(counts.min())), shuffle=True, random_state=self.random_state
        )


def _check_one_kind(labels):
    kinds = sorted({_kind(label) for label in labels})
    if len(kinds) > 1:
        raise BertEmbedError(
            f"Classes must be all strings, all numbers or all bools. Received: {', '.join(kinds)}."
        )


def _kind(label):
    for kind, types in KINDS.items():
        if isinstance(label, types):
            return kind
    return type(label).__name__


def _numbers(features):
    return check_array(features, accept_sparse="csr", dtype=DTYPES)
