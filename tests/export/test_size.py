"""A model of real weights takes no more room than its weights, words and pieces do."""

import numpy as np
import pytest

from tf_bertembed import export, models, tasks, text, vectors

MOST = 1.1


def size(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def make_task(fused):
    folder = models.find_checkpoint("all-minilm-l6-v2")
    backbone, words = models.load(folder), None
    if fused:
        words, table = vectors.static_table(vectors.load("glove-6b-50d"))
        backbone = models.with_fusion(backbone, table, output_fusion="concat")
    tokenizer = text.BertEmbedTokenizer.from_folder(folder)
    preprocessor = text.Preprocessor(tokenizer, sequence_length=128, static_words=words)
    task = tasks.TextClassifier(backbone, ["no", "yes"], preprocessor, pooling="mean")
    task.compile("adam")
    task.optimizer.build(task.trainable_variables)
    return task


@pytest.mark.slow
@pytest.mark.parametrize("fused", [False, True])
def test_an_export_is_as_large_as_what_it_holds(fused, tmp_path):
    task = make_task(fused)
    weights = 4 * sum(int(np.prod(variable.shape)) for variable in task.weights)
    assert weights > 90e6 * (0.99 if not fused else 1.8)
    pieces = task.preprocessor.tokenizer.get_vocabulary()
    words = task.preprocessor.static_words or []
    held = weights + sum(len(f"{entry}\n".encode()) for entry in (*pieces, *words))
    path = export.export_saved_model(task, tmp_path / "float32")
    print(f"held {held}, exported {size(path)}, ratio {size(path) / held:.4f}")
    print(export.read_metadata(path)["bytes"])
    assert size(path) <= MOST * held
    short = export.export_saved_model(task, tmp_path / "bfloat16", precision="bfloat16")
    told = export.read_metadata(short)
    print(f"bfloat16 {size(short)}, ratio {size(short) / held:.4f}, rounding {told['rounding']}")
    assert told["bytes"]["variables"] <= 0.51 * export.read_metadata(path)["bytes"]["variables"]
    report = export.verify(short)
    assert report.ok, str(report)
