"""What is frozen does not move, what is open does, and the optimizer goes on."""

import keras
import numpy as np
import pytest

from tf_bertembed import models, tasks, training
from tf_bertembed.common import BertEmbedError

LABELS = [0, 1, 1, 0]
RANDOM = np.random.default_rng(0)
FEATURES = {
    "token_ids": RANDOM.integers(1, 40, (4, 6)).astype("int32"),
    "segment_ids": np.zeros((4, 6), "int32"),
    "padding_mask": np.ones((4, 6), bool),
    "static_ids": RANDOM.integers(0, 9, (4, 6)).astype("int32"),
}
TABLE = np.concatenate([np.zeros((1, 3)), RANDOM.normal(size=(8, 3))])
EMBEDDINGS = {"token_embedding", "position_embedding", "segment_embedding", "embeddings_norm"}
HEAD = {"pooler", "input_fusion", "pooled_fusion", "logits"}


def layer(number):
    return f"transformer_layer_{number}"


def make(fused=True, num_layers=2, **arguments):
    keras.utils.set_random_seed(0)
    if fused:
        arguments = {"input_fusion": "add", "output_fusion": "concat", **arguments}
        arguments.update(static_vocabulary_size=9, static_dim=3)
    sizes = {"num_layers": num_layers, "num_heads": 2, "hidden_dim": 8, "intermediate_dim": 16}
    backbone = models.BertEmbedBackbone(40, max_sequence_length=8, **sizes, **arguments)
    if fused:
        backbone.set_static_vectors(TABLE)
    return tasks.TextClassifier(backbone, 2, dropout=0.0)


def features(task):
    return task.inputs_of(FEATURES)


def train(task, **arguments):
    """Take some steps; gives the names of the layers that moved."""
    before = {v.path: np.array(v) for v in task.weights}
    history = task.fit(features(task), LABELS, verbose=0, **arguments)
    moved = {v.path for v in task.weights if (np.array(v) != before[v.path]).any()}
    return {path.split("/")[0] for path in moved}, moved, history


def fast(task, run_eagerly=True):
    task.compile(tasks.AdamW(0.01), run_eagerly=run_eagerly)
    return task


@pytest.fixture(scope="module")
def fused():
    return make()


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ("head", HEAD),
        (1, HEAD | {layer(1)}),
        ("all", HEAD | {layer(0), layer(1)} | EMBEDDINGS),
    ],
)
def test_what_moves(layers, expected, fused):
    training.set_trainable(fused, layers, vectors=False)
    # Twice, since fusion starts as zeros, which hide the vectors from the first step.
    assert train(fast(fused), epochs=2)[0] == expected
    read = [v for v in fused.trainable_variables if v.path.split("/")[0] in expected]
    assert training.count_trainable(fused) == sum(v.value.shape.num_elements() for v in read)


def test_word_vectors_are_trained_or_not(fused, tmp_path):
    training.set_trainable(fused, "head", vectors=True)
    assert train(fast(fused), epochs=2)[0] == HEAD | {"static_embedding"}
    vectors = np.array(fused.backbone.static_embedding.vectors)
    assert not vectors[0].any()
    assert np.abs(vectors[1:] - TABLE[1:]).max() > 1e-3
    # That choice alone is saved with the weights.
    fused.save_to_preset(str(tmp_path / "task"))
    again = tasks.TextClassifier.from_preset(str(tmp_path / "task"))
    assert again.backbone.static_trainable
    assert len(again.backbone.trainable_variables) == len(again.backbone.weights)
    training.set_trainable(again, "all", vectors=False)
    assert "static_embedding" not in {v.path.split("/")[0] for v in again.trainable_variables}
    training.set_trainable(again, 1)
    assert not again.backbone.static_embedding.trainable


def test_a_frozen_backbone_can_be_opened_again():
    task = make(fused=False)
    task.backbone.trainable = False
    training.set_trainable(task, "all")
    count = len(task.trainable_variables)
    training.set_trainable(task, "head")
    training.set_trainable(task, "all")
    assert len(task.trainable_variables) == count
    assert training.count_trainable(task) == task.count_params()


@pytest.mark.slow
def test_opening_more_than_the_optimizer_knows_needs_another():
    task = make(fused=False, num_layers=1)
    training.set_trainable(task, "head")
    train(fast(task))
    training.set_trainable(task, "all")
    with pytest.raises(ValueError, match=r"(?s)Unknown variable.*recreate a new optimizer"):
        train(task)
    assert layer(0) in train(fast(task))[0]


def test_no_gradient_is_computed_for_what_is_frozen():
    """In the graph of a step, matrix products fall away with the layers that are frozen."""

    def products(layers):
        import tensorflow as tf

        task = make(fused=False, dropout=0.0)
        training.set_trainable(task, layers)
        inputs = {name: tf.constant(value) for name, value in features(task).items()}

        @tf.function
        def step():
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(task(inputs, training=True) ** 2)
            return tape.gradient(loss, [v.value for v in task.trainable_variables])

        graph = step.get_concrete_function().graph.as_graph_def()
        # What grappler leaves: the outputs, and all that they need.
        kept, todo = (
            set(),
            [name.name.split(":")[0] for name in step.get_concrete_function().outputs],
        )
        nodes = {node.name: node for node in graph.node}
        while todo:
            name = todo.pop()
            if name not in kept:
                kept.add(name)
                todo.extend(i.lstrip("^").split(":")[0] for i in nodes[name].input)
        return sum(nodes[name].op in ("MatMul", "BatchMatMulV2") for name in kept)

    forward = 2 * 6 + 2
    # The head's and the pooler's two kernels, and what flows into the pooler.
    assert products("head") == forward + 3
    # A layer has six products, and each gives two gradients but the lowest, of which only
    # those of weights are wanted and of what lies between them.
    assert products(1) == forward + 4 + 12 - 1


def test_layers_that_cannot_be():
    task = make(fused=False)
    for layers in (3, -1, "top", True, None, 1.0, "lora"):
        with pytest.raises(BertEmbedError, match=r"a number from 0 to 2.*Received: "):
            training.set_trainable(task, layers)
    with pytest.raises(BertEmbedError, match=r"no table of word vectors.*vectors=True"):
        training.set_trainable(task, "head", vectors=True)
    models.add_lora(task.backbone, 2)
    with pytest.raises(BertEmbedError, match=r'trains "lora" or "head".*layers=1'):
        training.set_trainable(task, 1)


def test_only_what_adapts_moves():
    task = make()
    models.add_lora(task.backbone, 2)
    before = training.count_trainable(task)
    layers, paths, _ = train(fast(task), epochs=2)
    assert layers == HEAD | {layer(0), layer(1)}
    assert all("qkv/lora_kernel" in path for path in paths if "transformer" in path)
    training.set_trainable(task, "head")
    assert train(fast(task))[0] == HEAD
    training.set_trainable(task, "lora")
    assert training.count_trainable(task) == before


def test_layers_open_from_the_top():
    task = fast(make(fused=False, num_layers=1), run_eagerly=False)
    seen = []

    class Recorder(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.before = {v.path: np.array(v) for v in task.weights}

        def on_epoch_end(self, epoch, logs=None):
            moved = [v.path for v in task.weights if (np.array(v) != self.before[v.path]).any()]
            seen.append({path.split("/")[0] for path in moved})

    unfreezing = training.GradualUnfreezing()
    train(task, epochs=3, callbacks=[unfreezing, Recorder()])
    head = {"pooler", "logits"}
    assert seen == [head, head | {layer(0)}, head | {layer(0)} | EMBEDDINGS]
    assert int(task.optimizer.iterations) == 3
    # The same callback starts anew in the next training.
    seen.clear()
    task.run_eagerly = True
    train(task, epochs=1, callbacks=[unfreezing, Recorder()])
    assert seen == [head]


@pytest.mark.parametrize("compiled_again", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_unfreezing_needs_an_optimizer_of_all_weights(compiled_again):
    task = make(fused=False)
    training.set_trainable(task, "head")
    train(fast(task))
    unfreezing = training.GradualUnfreezing(epochs_per_layer=2, start=1, embeddings=False)
    if not compiled_again:
        with pytest.raises(BertEmbedError, match="Call `compile` again"):
            train(task, callbacks=[unfreezing])
        return
    training.set_trainable(task, "all")
    moved = train(fast(task), epochs=3, callbacks=[unfreezing])[0]
    assert moved == {"pooler", "logits", layer(0), layer(1)}
    assert [unfreezing._layers(epoch) for epoch in (0, 1, 2, 9)] == [1, 1, 2, 2]


def test_numbers_of_unfreezing():
    with pytest.raises(BertEmbedError, match=r"`epochs_per_layer` must be .* Received: 0"):
        training.GradualUnfreezing(epochs_per_layer=0)
    with pytest.raises(BertEmbedError, match=r"`start` must be .* Received: -1"):
        training.GradualUnfreezing(start=-1)


@pytest.mark.parametrize("way", ["unfreezing", pytest.param("lora", marks=pytest.mark.slow)])
def test_early_stopping_restores_the_best_weights(way):
    task = make(fused=False)
    callbacks = []
    if way == "lora":
        models.add_lora(task.backbone, 2)
    else:
        callbacks = [training.GradualUnfreezing(start=1)]
    task.compile(tasks.AdamW(0.05), run_eagerly=True)
    kept = []

    class Keeper(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            kept.append(task.get_weights())

    # By a score that no training has a hand in, the second epoch is the best.
    class Score(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["val_score"] = [1.0, 3.0, 2.0, 0.0, 0.0][epoch]

    stopping = keras.callbacks.EarlyStopping(
        "val_score", mode="max", patience=2, restore_best_weights=True
    )
    history = train(task, epochs=5, callbacks=[*callbacks, Score(), Keeper(), stopping])[2]
    assert len(history.epoch) == 4
    for got, best, last in zip(task.get_weights(), kept[1], kept[-1], strict=True):
        np.testing.assert_array_equal(got, best)
        assert got.shape == last.shape
    assert any((a != b).any() for a, b in zip(kept[1], kept[-1], strict=True))
