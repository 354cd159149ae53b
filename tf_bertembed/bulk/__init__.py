"""Embeddings past one machine: Apache Beam pipelines around an exported model, and Spark."""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "EmbedTexts": "embed_texts",
        "SavedModelHandler": "model_handler",
        "TextFailure": "failures",
        "embed_pipeline": "pipeline",
        "spark_predictor": "spark",
    },
)
