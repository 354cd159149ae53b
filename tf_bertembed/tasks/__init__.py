"""A file a task: its head, loss and metrics over the backbone."""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "AdamW": "adamw",
        "PearsonMetric": "similarity.pearson_metric",
        "Pretrainer": "pretrainer",
        "QuestionAnswerer": "question_answering.question_answerer",
        "RankingLoss": "similarity.ranking_loss",
        "SentenceEncoder": "similarity.sentence_encoder",
        "TextClassifier": "classification.text_classifier",
        "TokenClassifier": "tagging.token_classifier",
        "export_checkpoint": "checkpoints",
        "import_checkpoint": "checkpoints",
        "load_google": "google",
        "load_huggingface": "huggingface",
        "mrr": "similarity.metrics",
        "pearson": "similarity.metrics",
        "recall_at_k": "similarity.metrics",
        "save_huggingface": "huggingface",
        "score_answer": "question_answering.scores",
        "score_answers": "question_answering.scores",
        "spearman": "similarity.metrics",
        "transfer_checkpoint": "transfer",
        "transfer_task": "transfer",
    },
)
