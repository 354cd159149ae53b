"""Texts to vectors as one step of a pipeline."""

from tf_bertembed.bulk.beam_package import beam, inference
from tf_bertembed.bulk.failures import TextFailure
from tf_bertembed.bulk.model_handler import SavedModelHandler

EMBEDDINGS, FAILED = "embeddings", "failed"


class EmbedTexts(beam.PTransform):
    """Embeds pairs of a key and a text; what fails goes its own way.

    Takes pairs `(key, text)` and answers two collections by name:
    `embeddings`, pairs `(key, vector)` with float32 `[D]`, and `failed`, pairs
    `(key, TextFailure)`. Each pair taken is in exactly one of them, once; keys
    are handed on as they are and need not differ.

    Args:
        saved_model: string or `pathlib.Path`. As for `SavedModelHandler`.
        **settings: as for `SavedModelHandler`.

    Raises:
        BertEmbedError: as `SavedModelHandler` does.

    Example:

    ```python
    import apache_beam as beam
    from apache_beam.testing.util import assert_that, equal_to
    from tf_bertembed import bulk, export, models, tasks, text

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "a", "cat", "dog"])
    backbone = models.BertEmbedBackbone(tokenizer.vocabulary_size(), 1, 2, 8, 16)
    task = tasks.TextClassifier(backbone, 2, text.Preprocessor(tokenizer, 16))
    folder = export.export_saved_model(task, "saved_models/small", warmup=False)
    with beam.Pipeline("FnApiRunner") as pipeline:
        rows = pipeline | beam.Create([("first", "a cat"), ("second", None)])
        done = rows | bulk.EmbedTexts(folder)
        assert_that(done.embeddings | beam.Keys(), equal_to(["first"]))
        assert_that(done.failed | "K" >> beam.Keys(), equal_to(["second"]), label="failed")
    ```
    """

    def __init__(self, saved_model, **settings):
        super().__init__()
        self._handler = SavedModelHandler(saved_model, **settings)

    def expand(self, pairs):
        keyed = inference.KeyedModelHandler(self._handler)
        return (
            pairs
            | "Embed" >> inference.RunInference(keyed)
            | "Part" >> beam.ParDo(_Part()).with_outputs(FAILED, main=EMBEDDINGS)
        )


class _Part(beam.DoFn):
    def process(self, prediction):
        key, (_, found, _) = prediction
        if isinstance(found, TextFailure):
            yield beam.pvalue.TaggedOutput(FAILED, (key, found))
        else:
            yield key, found
