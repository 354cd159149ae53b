"""The exported model as Apache Beam's `RunInference` runs it."""

from tf_bertembed.bulk.beam_package import Metrics, inference
from tf_bertembed.bulk.loading import load_model
from tf_bertembed.bulk.settings import MAX_TEXT_BYTES, ModelSettings
from tf_bertembed.common import BertEmbedError

NAMESPACE = "tf_bertembed.bulk"
# Texts that are sorted by length together. A short text counts for more bytes than it has, so
# that their number is bounded too.
WINDOW_BYTES, FEWEST_BYTES = 1 << 20, 64


def _bytes_of(value):
    return len(value.encode("utf-8", "surrogatepass")) if isinstance(value, str) else 0


class SavedModelHandler(inference.ModelHandler):
    """Runs the signature `embed` of an exported model in Apache Beam.

    For `RunInference`, alone with strings, or in a `KeyedModelHandler` with
    pairs of a key and a string. The model is loaded once for each worker
    process and shared by its threads, or with `large_model` once for all worker
    processes of a machine. About 1 MiB of texts is sorted by length at a time
    and cut into batches of like length. A text that makes the model fail, or is
    none, does not fail its batch: a `TextFailure` stands in its place.

    Counters, in the namespace `tf_bertembed.bulk`: `texts` that got a vector,
    `failed`, `bytes` of UTF-8 and `batches`; and those of `RunInference`.

    Args:
        saved_model: string or `pathlib.Path`. `NAME/VERSION`, or `NAME` for its
            highest version. Every worker must see it there: a shared disk, a
            path in the container's image, or one that TensorFlow reads, such
            as `gs://bucket/name/1`.
        max_pieces: int. About the most pieces in a batch, reckoned from bytes;
            `None` for 1024.
        streams: int. The batches that run at a time in a worker process.
        threads: int. TensorFlow's threads for one batch. It holds for the whole
            worker process; where TensorFlow is in use already, its threads stay
            as they are. `None` to leave them alone.
        max_text_bytes: int. The most bytes of a text in UTF-8.
        large_model: bool. Whether worker processes of a machine share one
            model, which runs in one of them: less memory, and less speed.

    Raises:
        BertEmbedError: where a number is below 1.
        MissingPackageError: where Apache Beam is not installed.

    Example:

    ```python
    import apache_beam as beam
    from apache_beam.ml.inference.base import RunInference
    from apache_beam.testing.util import assert_that, equal_to
    from tf_bertembed import bulk, export, models, tasks, text

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "a", "cat", "dog"])
    backbone = models.BertEmbedBackbone(tokenizer.vocabulary_size(), 1, 2, 8, 16)
    task = tasks.TextClassifier(backbone, 2, text.Preprocessor(tokenizer, 16))
    folder = export.export_saved_model(task, "saved_models/small", warmup=False)
    with beam.Pipeline("FnApiRunner") as pipeline:
        found = (
            pipeline
            | beam.Create(["a cat", "a dog"])
            | RunInference(bulk.SavedModelHandler(folder))
            | beam.Map(lambda result: (result.example, result.inference.shape))
        )
        assert_that(found, equal_to([("a cat", (8,)), ("a dog", (8,))]))
    ```
    """

    def __init__(
        self,
        saved_model,
        *,
        max_pieces=None,
        streams=1,
        threads=None,
        max_text_bytes=MAX_TEXT_BYTES,
        large_model=False,
    ):
        super().__init__()
        self._settings = ModelSettings(saved_model, max_pieces, streams, threads, max_text_bytes)
        self._large_model = large_model

    def load_model(self):
        return load_model(self._settings)

    def run_inference(self, batch, model, inference_args=None):
        vectors, failures, batches = model.embed(list(batch))
        counted = {
            "texts": len(batch) - len(failures),
            "failed": len(failures),
            "bytes": sum(_bytes_of(one) for row, one in enumerate(batch) if row not in failures),
            "batches": batches,
        }
        for name, count in counted.items():
            Metrics.counter(NAMESPACE, name).inc(count)
        return [
            inference.PredictionResult(one, failures.get(row, vector))
            for row, (one, vector) in enumerate(zip(batch, vectors, strict=True))
        ]

    def get_num_bytes(self, batch):
        return sum(map(_bytes_of, batch))

    def get_metrics_namespace(self):
        return NAMESPACE

    def validate_inference_args(self, inference_args):
        if inference_args:
            raise BertEmbedError(
                "The signature `embed` takes texts alone, no `inference_args`. Received: "
                f"{', '.join(map(str, inference_args))}."
            )

    def share_model_across_processes(self):
        return self._large_model

    def batch_elements_kwargs(self):
        # A fixed weight and not `max_batch_weight`, which `BatchElements` of 2.77 does not take.
        return {
            "min_batch_size": WINDOW_BYTES,
            "max_batch_size": WINDOW_BYTES,
            "element_size_fn": _weight,
        }


def _weight(element):
    # `KeyedModelHandler` hands its pairs to the same function.
    value = element[1] if isinstance(element, tuple) and len(element) == 2 else element
    # More than the window in one text would give an empty batch before it.
    return min(max(FEWEST_BYTES, _bytes_of(value)), WINDOW_BYTES)
