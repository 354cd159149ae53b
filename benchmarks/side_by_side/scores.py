"""What predictions are worth: one way of counting for both sides."""

from scipy.stats import spearmanr
from sklearn.metrics import accuracy_score


def _accuracy(rows, predictions):
    return accuracy_score([row[-1] for row in rows], predictions)


def _word_accuracy(rows, predictions):
    pairs = [
        (tag, found)
        for row, tags in zip(rows, predictions, strict=True)
        for tag, found in zip(row[-1], tags, strict=True)
    ]
    return accuracy_score(*zip(*pairs, strict=True))


def _entity_f1(rows, predictions):
    from seqeval.metrics import f1_score

    gold = [_with_dashes(row[-1]) for row in rows]
    return f1_score(gold, [_with_dashes(tags) for tags in predictions])


def _with_dashes(tags):
    # seqeval knows the inside of an entity as I, which BMES calls M.
    return [f"I-{tag[2:]}" if tag.startswith("M-") else tag for tag in tags]


def _spearman(rows, predictions):
    return spearmanr([row[-1] for row in rows], predictions).statistic


def _answer_f1(rows, predictions):
    from side_by_side.data import question
    from tf_bertembed.tasks import score_answers

    return score_answers([question(row) for row in rows], predictions)["f1"]


def score(kind, metric, rows, predictions):
    """The metric of predictions for rows, a fraction of 1."""
    counts = {
        ("classification", "accuracy"): _accuracy,
        ("tagging", "accuracy"): _word_accuracy,
        ("tagging", "f1"): _entity_f1,
        ("similarity", "spearman"): _spearman,
        ("qa", "f1"): _answer_f1,
    }
    return float(counts[kind, metric](rows, predictions))
