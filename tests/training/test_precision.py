"""Half precision: what is computed in it and what is not, and how far from float32 it ends."""

import collections

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_bertembed import models, tasks, training

HALVES = ("mixed_float16", "mixed_bfloat16")
KINDS = ("pretrainer", "classifier")
PIECES, LENGTH, WORDS, STATIC_DIM, ROWS, MASKED = 40, 12, 9, 6, 16, 3
EPOCHS, BATCH = 6, 8

# Each way of fusion at the input and at the output.
FUSIONS = [
    {},
    {"input_fusion": "add"},
    {"input_fusion": "concat", "output_fusion": "concat"},
    {"input_fusion": "gate", "output_fusion": "gate"},
]
# What must not be computed in half precision, and for which layers TensorFlow has it.
FULL = {
    "Softmax": "attention",
    "Mean": "normalisation",
    "SquaredDifference": "normalisation",
    "Rsqrt": "normalisation",
    "SparseSoftmaxCrossEntropyWithLogits": "loss",
}


def make_task(kind, dtype, **fusion):
    keras.utils.set_random_seed(0)
    backbone = models.BertEmbedBackbone(
        vocabulary_size=PIECES,
        num_layers=1,
        num_heads=2,
        hidden_dim=16,
        intermediate_dim=32,
        dropout=0.0,
        max_sequence_length=LENGTH,
        static_vocabulary_size=WORDS if fusion else 0,
        static_dim=STATIC_DIM if fusion else 0,
        dtype=dtype,
        **fusion,
    )
    if fusion:
        vectors = np.random.default_rng(1).normal(size=(WORDS, STATIC_DIM))
        vectors[0] = 0
        backbone.set_static_vectors(vectors)
    if kind == "pretrainer":
        return tasks.Pretrainer(backbone)
    return tasks.TextClassifier(backbone, 2, pooling="mean" if fusion else "cls", dropout=0.0)


def make_data(kind, fused):
    """Random pieces and labels; the second of each eight rows is padding alone."""
    random = np.random.default_rng(2)
    lengths = np.tile([12, 0, 7, 2, 10, 12, 5, 9], ROWS // 8)
    mask = np.arange(LENGTH) < lengths[:, None]

    def ids(high, low=0):
        return (random.integers(low, high, mask.shape) * mask).astype("int32")

    features = {"token_ids": ids(PIECES, 5), "segment_ids": ids(2), "padding_mask": mask}
    if fused:
        features["static_ids"] = ids(WORDS)
    sides = random.integers(0, 2, ROWS)
    if kind == "classifier":
        return features, sides, None
    features["mask_positions"] = random.integers(0, LENGTH, (ROWS, MASKED)).astype("int32")
    labels = {"masked_lm": random.integers(5, PIECES, (ROWS, MASKED)), "next_sentence": sides}
    weights = {
        "masked_lm": np.repeat(lengths[:, None] > 0, MASKED, axis=1).astype("float32"),
        "next_sentence": np.ones(ROWS, "float32"),
    }
    return features, labels, weights


def dataset(data):
    parts = tuple(part for part in data if part is not None)
    return tf.data.Dataset.from_tensor_slices(parts).batch(BATCH)


def distance(value, expected):
    value, expected = np.asarray(value, "float64"), np.asarray(expected, "float64")
    return np.abs(value - expected).max() / np.abs(expected).max()


def gradients(task, data):
    """The outputs, and the gradients of the loss as `fit` scales it, unscaled again."""
    features, labels, weights = data
    with tf.GradientTape() as tape:
        outputs = task(features, training=True)
        loss = task.compute_loss(features, labels, outputs, weights)
        scaled = task.optimizer.scale_loss(loss)
    found = tape.gradient(scaled, task.trainable_variables)
    assert all(gradient is not None for gradient in found)
    scale = task.optimizer.scale_loss(1.0)
    return outputs, [tf.convert_to_tensor(gradient) / scale for gradient in found]


def computed(task, data):
    """How often each operation computes in which type, forwards and back, by the graph."""
    data = tf.nest.map_structure(tf.convert_to_tensor, [p for p in data if p is not None])
    step = tf.function(lambda *parts: gradients(task, (*parts, None)[:3]))
    graph = step.get_concrete_function(*data).graph.as_graph_def()
    bodies = [graph.node, *(function.node_def for function in graph.library.function)]
    found = collections.defaultdict(collections.Counter)
    for node in (node for body in bodies for node in body):
        if node.attr["T"].type:
            found[node.op][tf.as_dtype(node.attr["T"].type).name] += 1
    return found


@pytest.fixture(scope="module")
def trained():
    """A task after a plain `fit`, with its losses; each is trained once."""
    made = {}

    def train(kind, dtype):
        if (kind, dtype) not in made:
            task = make_task(kind, dtype, **FUSIONS[1 if kind == "pretrainer" else 2])
            # Not Adam, which would hide a wrong scale: its steps are alike at any.
            task.compile(keras.optimizers.SGD(0.1))
            history = task.fit(dataset(make_data(kind, True)), epochs=EPOCHS, verbose=0)
            made[kind, dtype] = task, np.array(history.history["loss"])
        return made[kind, dtype]

    return train


# The classifier's backbone is the pretrainer's, and its head is tried below.
TRAINED = ["pretrainer", pytest.param("classifier", marks=pytest.mark.slow)]


@pytest.mark.parametrize("dtype", ["float32", *HALVES])
@pytest.mark.parametrize("kind", TRAINED)
def test_it_trains_by_plain_fit(kind, dtype, trained):
    task, losses = trained(kind, dtype)
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.9 * losses[0]
    assert all(variable.dtype == "float32" for variable in task.trainable_variables)
    scaled = isinstance(task.optimizer, keras.optimizers.LossScaleOptimizer)
    assert scaled == (dtype == "mixed_float16")
    # No step was left out because of a gradient that was not finite.
    assert int(task.optimizer.iterations) == EPOCHS * ROWS // BATCH


@pytest.mark.parametrize(("dtype", "limit"), zip(HALVES, (0.01, 0.05), strict=True))
@pytest.mark.parametrize("kind", TRAINED)
def test_the_losses_of_training_stay_near(kind, dtype, limit, trained):
    losses, expected = trained(kind, dtype)[1], trained(kind, "float32")[1]
    far = distance(losses, expected)
    print(f"{kind}, {dtype}: losses {far:.1e} of the largest from float32")
    assert 0 < far < limit


@pytest.mark.parametrize(
    ("kind", "dtype"),
    # Each head and each type once; the others are the same graph.
    [
        ("pretrainer", "mixed_float16"),
        ("classifier", "mixed_bfloat16"),
        pytest.param("pretrainer", "mixed_bfloat16", marks=pytest.mark.slow),
        pytest.param("classifier", "mixed_float16", marks=pytest.mark.slow),
    ],
)
def test_softmax_normalisation_and_losses_are_computed_in_float32(kind, dtype):
    task = make_task(kind, dtype, **FUSIONS[3])
    task.compile("sgd")
    task.optimizer.build(task.trainable_variables)
    found = computed(task, make_data(kind, True))
    for operation, part in FULL.items():
        assert set(found[operation]) == {"float32"}, (operation, part)
    # And the rest is not: the products of attention, and all but the head's.
    half = dtype.removeprefix("mixed_")
    assert set(found["BatchMatMulV2"]) == {half}
    assert found["MatMul"][half] > 4 * found["MatMul"]["float32"]


@pytest.mark.parametrize(
    ("kind", "fusion"),
    # The head and the fusion do not meet: each is tried once.
    [("classifier", FUSIONS[0]), *(("pretrainer", fusion) for fusion in FUSIONS)],
    ids=lambda value: value if isinstance(value, str) else "-".join(value.values()) or "none",
)
def test_gradients_are_finite_and_near_with_a_row_of_padding_alone(kind, fusion):
    data = make_data(kind, bool(fusion))
    exact, limits = None, {"mixed_float16": 0.01, "mixed_bfloat16": 0.1}
    for dtype in ("float32", *HALVES):
        task = make_task(kind, dtype, **fusion)
        random = np.random.default_rng(3)
        for variable in task.trainable_variables:
            variable.assign_add(0.2 * random.normal(size=variable.shape))
        task.compile("sgd")
        task.optimizer.build(task.trainable_variables)
        outputs, found = gradients(task, data)
        for value in (*tf.nest.flatten(outputs), *found):
            assert np.isfinite(value).all()
        assert {value.dtype.name for value in tf.nest.flatten(outputs)} == {"float32"}
        flat = np.concatenate([np.ravel(gradient) for gradient in found])
        if exact is None:
            exact = flat
            continue
        far = np.linalg.norm(flat - exact) / np.linalg.norm(exact)
        print(f"{dtype}: gradients {far:.1e} of their norm from float32")
        assert 0 < far < limits[dtype]


@pytest.fixture
def policy():
    """Set Keras's own policy for one test."""
    before = keras.config.dtype_policy()
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy(before)


@pytest.mark.parametrize("optimizer", ["adam", "auto", None])
@pytest.mark.parametrize("kind", KINDS)
def test_losses_are_scaled_in_float16_whatever_the_optimizer(kind, optimizer, policy):
    optimizer = training.create_optimizer(1e-3, 9) if optimizer is None else optimizer
    policy("mixed_float16")
    task = make_task(kind, None)
    assert task.dtype_policy.name == task.backbone.dtype_policy.name == "mixed_float16"
    task.compile(optimizer)
    scaling = task.optimizer
    assert isinstance(scaling, keras.optimizers.LossScaleOptimizer)
    assert not isinstance(scaling.inner_optimizer, keras.optimizers.LossScaleOptimizer)
    assert float(scaling.scale_loss(1.0)) == scaling.initial_scale > 1000
    # What a `.keras` file says of it is not wrapped once more.
    task.compile_from_config(task.get_compile_config())
    assert type(task.optimizer.inner_optimizer) is type(scaling.inner_optimizer)


@pytest.mark.parametrize("kind", KINDS)
def test_a_backbone_s_own_precision_goes_before_that_of_keras(kind, policy):
    policy("mixed_float16")
    task = make_task(kind, "float32")
    task.compile("adam")
    assert not isinstance(task.optimizer, keras.optimizers.LossScaleOptimizer)
    assert {layer.compute_dtype for layer in task._flatten_layers() if layer.weights} == {"float32"}


def test_clipping_is_of_gradients_that_are_not_scaled():
    data = make_data("classifier", False)
    moments = []
    for dtype in ("float32", "mixed_float16"):
        task = make_task("classifier", dtype)
        optimizer = training.create_optimizer(1e-3, 9, clip_norm=0.05)
        task.compile(optimizer, run_eagerly=True)
        task.fit(*data[:2], batch_size=ROWS, verbose=0, shuffle=False)
        moments.append(np.concatenate([np.ravel(v) for v in optimizer._momentums]))
    # A first moment is a tenth of the first gradient. Rows that a table's gradient holds twice
    # count apart in the norm that is clipped, so the sum's may be less.
    norms = [10 * np.linalg.norm(moment) for moment in moments]
    assert all(0.04 < norm < 0.0501 for norm in norms)
    assert distance(moments[1], moments[0]) < 0.02


def test_a_step_that_overflows_changes_nothing_but_the_scale():
    task = make_task("classifier", "mixed_float16")
    inner = keras.optimizers.SGD(0.1)
    task.compile(keras.optimizers.LossScaleOptimizer(inner, initial_scale=2.0**60))
    task.run_eagerly = True
    before = task.get_weights()
    features, labels, _ = make_data("classifier", False)
    task.fit(features, labels, batch_size=ROWS, verbose=0)
    assert float(task.optimizer.dynamic_scale) == 2.0**59
    for value, old in zip(task.get_weights(), before, strict=True):
        np.testing.assert_array_equal(value, old)


@pytest.mark.slow
@pytest.mark.parametrize(("dtype", "limit"), zip(HALVES, (2e-3, 3e-2), strict=True))
def test_a_real_encoder_stays_near(dtype, limit):
    """all-MiniLM-L6-v2 on real sentences; the distances that README.md states."""
    from gensim.test.utils import datapath

    from tf_bertembed import text

    folder = models.find_checkpoint("all-minilm-l6-v2")
    with open(datapath("lee_background.cor"), encoding="utf-8") as file:
        sentences = [line.split(". ")[0] for line in file.readlines()[:32]]
    preprocessor = text.Preprocessor(text.BertEmbedTokenizer.from_folder(folder), 64)
    features = preprocessor(sentences)
    mask = features["padding_mask"].numpy()
    exact, half = (models.load(folder, dtype=name)(features) for name in ("float32", dtype))
    states, expected = (np.asarray(o["sequence_output"], "float64")[mask] for o in (half, exact))
    far = distance(states, expected)
    lengths = np.linalg.norm(states, axis=-1) * np.linalg.norm(expected, axis=-1)
    cosine = ((states * expected).sum(-1) / lengths).min()
    print(f"{dtype}: sequence_output {far:.1e} of the largest from float32, cosine {cosine:.5f}")
    assert 0 < far < limit
    assert cosine > 0.99
