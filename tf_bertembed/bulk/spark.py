"""The exported model for Spark's `predict_batch_udf`."""

from tf_bertembed.bulk.loading import load_model
from tf_bertembed.bulk.settings import MAX_TEXT_BYTES, ModelSettings


def spark_predictor(
    saved_model, *, max_pieces=None, streams=1, threads=1, max_text_bytes=MAX_TEXT_BYTES
):
    """Make what Spark's `predict_batch_udf` loads a model with.

    It goes with the return type `struct<embedding: array<float>, error: string>`:
    `error` is null where there is a vector; where it is not, it says why there
    is none, and `embedding` is NaN throughout. One text that fails stops neither
    its batch nor the job. The model is loaded once in each Python process of an
    executor, which must have this package and see the model's folder.

    Args:
        saved_model: string or `pathlib.Path`. As for `SavedModelHandler`.
        max_pieces: int. As for `SavedModelHandler`.
        streams: int. As for `SavedModelHandler`.
        threads: int. As for `SavedModelHandler`. Spark runs a process for each
            task, and a task takes one core unless `spark.task.cpus` says more.
        max_text_bytes: int. As for `SavedModelHandler`.

    Returns:
        A function without arguments, which loads the model and returns a
        function from an array of N strings to a dict of `embedding`, float32
        `[N, D]`, and `error`, N strings or `None`.

    Raises:
        BertEmbedError: where a number is below 1.

    Example:

    ```python
    import numpy as np
    from tf_bertembed import bulk, export, models, tasks, text

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "a", "cat", "dog"])
    backbone = models.BertEmbedBackbone(tokenizer.vocabulary_size(), 1, 2, 8, 16)
    task = tasks.TextClassifier(backbone, 2, text.Preprocessor(tokenizer, 16))
    folder = export.export_saved_model(task, "saved_models/small", warmup=False)
    predict = bulk.spark_predictor(folder)()
    answer = predict(np.array(["a cat", None], dtype=object))
    assert answer["embedding"].shape == (2, 8)
    assert answer["error"].tolist() == [None, "A string was expected. Received: a NoneType."]
    ```

    References:
        https://spark.apache.org/docs/latest/api/python/reference/api/pyspark.ml.functions.predict_batch_udf.html
    """
    settings = ModelSettings(saved_model, max_pieces, streams, threads, max_text_bytes)

    def make_predict_fn():
        import numpy as np

        model = load_model(settings)

        def predict(texts):
            # pandas has NaN where a column of strings is null.
            values = [None if one != one else one for one in texts]
            vectors, failures, _ = model.embed(values)
            errors = np.full(len(values), None, dtype=object)
            for row, failure in failures.items():
                errors[row] = failure.reason
            return {"embedding": vectors, "error": errors}

        return predict

    return make_predict_fn
