"""What every task shares: Keras manners in `fit`, and checks of its parts."""

import warnings

import keras
import keras_nlp
import tensorflow as tf

from tf_bertembed.common import BertEmbedError, check_at_least
from tf_bertembed.models import BertEmbedBackbone
from tf_bertembed.models.parts import check_parts
from tf_bertembed.tasks.arrays import as_tensors, checked, count, cut, is_dataset, require_labels
from tf_bertembed.tasks.epoch_order import EpochOrder
from tf_bertembed.tasks.kept import Kept
from tf_bertembed.text import Preprocessor
from tf_bertembed.text.batches import without_autotuning


class BertEmbedTask(keras_nlp.models.Task):
    """Base of the tasks: a backbone, a preprocessor and a head.

    Over `keras_nlp.models.Task` it shuffles arrays in `fit`, as Keras does
    everywhere else, checks that its parts fit one another, and describes
    itself to the exporter by `text_inputs` and `signatures`.
    """

    backbone_cls = BertEmbedBackbone
    preprocessor_cls = Preprocessor
    text_inputs = ("text",)
    _epoch_order = None
    _traced_at = 0

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._kept_features = Kept()

    @classmethod
    def from_preset(cls, preset, load_weights=True, **kwargs):
        """Load a task from a folder that `save_to_preset` wrote.

        Args:
            preset: string. The folder.
            load_weights: bool. Whether to load weights or start at random.
            **kwargs: `dtype`, by default Keras's own (`keras.config`), and
                other arguments of the task to replace.

        Returns:
            A task, ready for `predict`, `fit` and export.
        """
        # Named here since keras-nlp 0.32 cannot read a mixed dtype from a preset.
        kwargs.setdefault("dtype", keras.config.dtype_policy().name)
        with warnings.catch_warnings():
            # A folder holds a model to use; its optimizer starts afresh.
            warnings.filterwarnings("ignore", "Skipping variable loading for optimizer")
            return super().from_preset(str(preset), load_weights=load_weights, **kwargs)

    def encode_labels(self, y):
        """Turn a user's labels into what the loss takes; unchanged by default."""
        return y

    def encode_label_batches(self, dataset):
        """Turn the labels of a dataset into what the loss takes; unchanged by default."""
        return dataset

    def compile(self, *args, jit_compile=False, **kwargs):
        """Configure training, as `keras.Model.compile` does.

        Args:
            *args: passed to `keras.Model.compile`.
            jit_compile: bool. Whether XLA compiles the step. False by
                default: batches cut to their longest text have many shapes,
                and each would be compiled anew.
            **kwargs: passed to `keras.Model.compile`.
        """
        super().compile(*args, jit_compile=jit_compile, **kwargs)

    def compile_from_config(self, config):
        # Keras's own stops where `compile` is overridden; this one takes the
        # same arguments, so that a `.keras` file resumes with its optimizer.
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)

    def check_parts(self):
        """Raise where the preprocessor makes features that the backbone cannot take.

        `fit`, `evaluate`, `predict` and the export do so; without a
        preprocessor there is nothing to check.

        Raises:
            BertEmbedError: where vocabulary, length, words or tags do not fit.
        """
        # Not in the constructor, since a task that is read from a folder gets
        # its vocabulary after it is made; and not in the graph, where an error
        # would come out as another.
        if self.preprocessor is not None:
            check_parts(self.backbone, self.preprocessor)

    def inputs_of(self, features):
        """Pick what the backbone takes out of the features of a preprocessor.

        A task's preprocessor may make more than the backbone reads, such as
        the places of words.

        Args:
            features: dict of tensors `[B, T]`, by the names of the
                preprocessor.

        Returns:
            A dict of the tensors that the backbone takes.

        Raises:
            BertEmbedError: where one of them is missing.

        Example:

        ```python
        from tf_bertembed import models, tasks, text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "good", "bad"])
        classifier = tasks.TextClassifier(models.BertEmbedBackbone(7, 1, 2, 8, 16), 2)
        features = {**text.Preprocessor(tokenizer, 16)(["good"]), "offsets": [[0, 4]]}
        inputs = classifier.inputs_of(features)
        assert sorted(inputs) == ["padding_mask", "segment_ids", "token_ids"]
        ```
        """
        names = list(self.backbone.input)
        missing = [name for name in names if name not in features]
        if missing:
            raise BertEmbedError(
                f"The backbone takes the features {', '.join(names)}. Received: features without "
                f"{', '.join(missing)}."
            )
        return {name: features[name] for name in names}

    def preprocess_samples(self, x, y=None, sample_weight=None):
        """Make features of a batch; keras-nlp maps this over every dataset.

        Args:
            x: strings `[B]`, or a tuple of two such for pairs.
            y: anything. Labels.
            sample_weight: anything. Sample weights.

        Returns:
            A dict of what the model takes; in a tuple with `y` and
            `sample_weight` where they are given.

        Example:

        ```python
        from tf_bertembed import models, tasks, text

        tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "good", "bad"])
        backbone = models.BertEmbedBackbone(7, 1, 2, 8, 16)
        classifier = tasks.TextClassifier(backbone, 2, text.Preprocessor(tokenizer, 16))
        features, y = classifier.preprocess_samples(["good"], [1])
        assert features["token_ids"].numpy().tolist() == [[2, 5, 3]] and y == [1]
        ```
        """
        preprocessor = self.preprocessor
        if tf.executing_eagerly() or not isinstance(preprocessor, Preprocessor):
            return self._samples(x, y, sample_weight)
        # Each dataset would trace it anew, which takes longer than to read a small one.
        made_of = preprocessor, *preprocessor.made_of()
        traced = self._kept_features.get(
            made_of, lambda: tf.function(self._samples, autograph=False)
        )
        return traced(x, y, sample_weight)

    def _samples(self, x, y=None, sample_weight=None):
        """What `preprocess_samples` gives, by ops of the graph that is being built."""
        made = super().preprocess_samples(x, y, sample_weight)
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(made)
        if isinstance(x, dict):
            # Only what the model reads: strings have no place on a GPU.
            x = {name: value for name, value in x.items() if name in self.input}
        return keras.utils.pack_x_y_sample_weight(x, y, sample_weight)

    def _check_before_steps(self):
        self.check_parts()
        # A step that was traced before `add_lora` goes on without its matrices.
        if self._traced_at != self.backbone.times_adapted:
            self._traced_at = self.backbone.times_adapted
            self.train_function = self.test_function = self.predict_function = None

    def _texts(self, x):
        return x if self.preprocessor is None else checked(x)

    def _unread_layers(self):
        """Layers of the backbone that the head does not read; `None`s are passed over."""
        return ()

    def _unread_variables(self):
        layers = [layer for layer in self._unread_layers() if layer is not None]
        return {id(variable) for layer in layers for variable in layer.variables}

    # What the head does not read gets no gradient, of which the optimizer would
    # warn at every `fit`. The layers themselves are left as they are: another
    # task over the same backbone may read them.

    @property
    def trainable_variables(self):
        unread = self._unread_variables()
        return [v for v in super().trainable_variables if id(v) not in unread]

    @property
    def non_trainable_variables(self):
        trainable = {id(v) for v in self.trainable_variables}
        return [v for v in self.variables if id(v) not in trainable]

    @property
    def trainable_weights(self):
        unread = self._unread_variables()
        return [v for v in super().trainable_weights if id(v) not in unread]

    @property
    def non_trainable_weights(self):
        trainable = {id(v) for v in self.trainable_weights}
        return [v for v in self.weights if id(v) not in trainable]

    def _dataset(self, x, y, sample_weight, batch_size, shuffle):
        pack = keras.utils.pack_x_y_sample_weight
        data = pack(as_tensors(x), as_tensors(y), as_tensors(sample_weight))
        counts = sorted({int(part.shape[0]) for part in tf.nest.flatten(data) if part is not None})
        if len(counts) != 1 or not counts[0]:
            raise BertEmbedError(
                "`x`, `y` and `sample_weight` must hold one item for each text, and at least one "
                f"text. Received lengths: {counts}."
            )
        batch_size = 32 if batch_size is None else batch_size
        check_at_least(1, batch_size=batch_size)
        if shuffle:
            return without_autotuning(self._epoch_order.batches(data, counts[0], batch_size))
        return without_autotuning(tf.data.Dataset.from_tensor_slices(data).batch(batch_size))

    def _validation_dataset(self, data, batch_size):
        if data is None:
            return None
        if is_dataset(data):
            return self.encode_label_batches(data)
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        require_labels(y)
        x = self._texts(x)
        return self._dataset(x, self.encode_labels(y), sample_weight, batch_size, shuffle=False)

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        sample_weight=None,
        validation_data=None,
        validation_split=0.0,
        shuffle=True,
        **kwargs,
    ):
        """Train, with the manners of `keras.Model.fit`.

        Args:
            x: strings `[N]`, a tuple of two such for pairs, a dict of
                features `[N, T]`, or a `tf.data.Dataset` of batches.
            y: labels `[N]`; `None` where `x` is a dataset.
            batch_size: int. Texts in a step, 32 by default.
            sample_weight: float `[N]`. A weight for each text.
            validation_data: a pair `(x, y)` or a triple with sample weights,
                or a dataset of batches.
            validation_split: float. The share taken from the end of arrays
                for validation, before shuffling.
            shuffle: bool. Whether arrays are shuffled before each epoch, in an
                order that Keras's seed and the epoch's number decide.
            **kwargs: passed to `keras.Model.fit` (`epochs`, `callbacks`,
                `class_weight`, ...).

        Returns:
            A `keras.callbacks.History`.

        Raises:
            BertEmbedError: where labels or lengths do not fit, or a row is no
                text (the message names it).
        """
        self._check_before_steps()
        # Variables made while a step is traced have it traced twice.
        if self.optimizer is not None and not self.optimizer.built:
            with self.distribute_strategy.scope():
                self.optimizer.build(self.trainable_variables)
        held_size = kwargs.pop("validation_batch_size", None) or batch_size
        validation_data = self._validation_dataset(validation_data, held_size)
        if is_dataset(x):
            if validation_split:
                raise BertEmbedError(
                    "`validation_split` cuts arrays; with a dataset pass `validation_data`. "
                    f"Received: {validation_split}."
                )
            return super().fit(
                self.encode_label_batches(x),
                y,
                batch_size,
                sample_weight,
                validation_data=validation_data,
                shuffle=False,
                **kwargs,
            )
        require_labels(y)
        x, y = self._texts(x), self.encode_labels(y)
        if validation_split and validation_data is None:
            arrays = (as_tensors(x), as_tensors(y), as_tensors(sample_weight))
            total = count(arrays)
            kept = int(total * (1.0 - validation_split))
            if not 0 < kept < total:
                raise BertEmbedError(
                    "`validation_split` leaves no text on one side. Received: "
                    f"{validation_split} of {total} texts."
                )
            x, y, sample_weight = cut(arrays, slice(kept))
            validation_data = self._dataset(
                *cut(arrays, slice(kept, None)), held_size, shuffle=False
            )
        if shuffle:
            self._epoch_order = EpochOrder()
            kwargs["callbacks"] = self._epoch_order.joined(kwargs.get("callbacks"))
        return super().fit(
            self._dataset(x, y, sample_weight, batch_size, shuffle),
            validation_data=validation_data,
            shuffle=False,
            **kwargs,
        )

    def evaluate(self, x=None, y=None, batch_size=None, sample_weight=None, **kwargs):
        """Compute loss and metrics; arguments as in `fit`."""
        self._check_before_steps()
        if kwargs.get("_use_cached_eval_dataset"):
            return super().evaluate(x, y, batch_size, sample_weight, **kwargs)
        if is_dataset(x):
            x = self.encode_label_batches(x)
            return super().evaluate(x, y, batch_size, sample_weight, **kwargs)
        require_labels(y)
        x, y = self._texts(x), self.encode_labels(y)
        return super().evaluate(self._dataset(x, y, sample_weight, batch_size, False), **kwargs)

    def predict(self, x, batch_size=None, **kwargs):
        """Compute outputs; arguments as in `fit`."""
        self._check_before_steps()
        if not is_dataset(x):
            x = self._dataset(self._texts(x), None, None, batch_size, shuffle=False)
            batch_size = None
        return super().predict(x, batch_size=batch_size, **kwargs)
