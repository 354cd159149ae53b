"""A file a task: its head, loss and metrics over the backbone."""

from tf_bertembed.common import lazy

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "AdamW": "adamw",
        "PearsonMetric": "pearson_metric",
        "Pretrainer": "pretrainer",
        "QuestionAnswerer": "question_answering.question_answerer",
        "RankingLoss": "ranking_loss",
        "SentenceEncoder": "sentence_encoder",
        "TextClassifier": "text_classifier",
        "TokenClassifier": "token_classifier",
        "export_checkpoint": "checkpoints",
        "import_checkpoint": "checkpoints",
        "load_google": "google",
        "load_huggingface": "huggingface",
        "mrr": "similarity_metrics",
        "pearson": "similarity_metrics",
        "recall_at_k": "similarity_metrics",
        "save_huggingface": "huggingface",
        "score_answer": "question_answering.scores",
        "score_answers": "question_answering.scores",
        "spearman": "similarity_metrics",
        "transfer_checkpoint": "transfer",
        "transfer_task": "transfer",
    },
)
