"""The best spans of texts out of the logits of their windows, in the graph."""

import tensorflow as tf

# Below every logit, yet finite: sums of two stay so, in float32.
LOW = -1e9


def best_spans(features, start_logits, end_logits, n_best, max_answer_length, copies):
    """Find the best spans of each text over all of its windows.

    A span begins and ends at pieces of the context, which stand at most
    `max_answer_length` pieces apart, both included. Its logit is the sum of its
    two; every such span is looked at. Where it stands in several windows the
    largest counts. No answer has the sum at `[CLS]`, in the window where that
    is least, as in BERT's `run_squad.py`.

    Args:
        features: dict. What `QuestionPreprocessor` made of B texts.
        start_logits: float32 tensor [N, T].
        end_logits: float32 tensor [N, T].
        n_best: int. How many spans to find, K.
        max_answer_length: int. Pieces.
        copies: int. In how many windows the same piece can stand.

    Returns:
        A dict: `logits`, `starts` and `ends` [B, K], best first, code points;
        spans that a text does not have are (0, 0), with a logit of `LOW` or
        less. `null_logits` [B]; `log_total` [B], the logarithm of the sum of
        the exponentials of no answer's logit and of each span's in each
        window.
    """
    starts, ends, owner = (features[name] for name in ("piece_starts", "piece_ends", "window_text"))
    windows, width = tf.unstack(tf.shape(starts))
    batch = tf.size(features["contexts"])
    inside = starts >= 0
    nulls = start_logits[:, 0] + end_logits[:, 0]
    opened, closed = (tf.where(inside, logits, LOW) for logits in (start_logits, end_logits))
    closed = tf.pad(closed, [[0, 0], [0, max_answer_length - 1]], constant_values=LOW)
    reach = tf.range(width)[:, tf.newaxis] + tf.range(max_answer_length)[tf.newaxis]
    sums = opened[:, :, tf.newaxis] + tf.gather(closed, reach, axis=1)
    sums = tf.reshape(sums, [windows, width * max_answer_length])
    null_logits = tf.math.unsorted_segment_min(nulls, owner, batch)
    log_total = _log_total(tf.reduce_logsumexp(sums, axis=1), null_logits, owner)

    logits, places = tf.math.top_k(sums, tf.minimum(n_best, width * max_answer_length))
    first = places // max_answer_length
    last = tf.minimum(first + places % max_answer_length, width - 1)
    found = {
        "logits": logits,
        "starts": tf.gather(starts, first, batch_dims=1),
        "ends": tf.gather(ends, last, batch_dims=1),
    }
    found = {name: _of_texts(value, owner, batch) for name, value in found.items()}
    found = _top(found, tf.minimum(n_best * copies, tf.shape(found["logits"])[1]))
    found["logits"] = tf.where(_seen_before(found), 2 * LOW, found["logits"])
    missing = tf.maximum(n_best - tf.shape(found["logits"])[1], 0)
    found = {
        name: tf.pad(value, [[0, 0], [0, missing]], constant_values=tf.cast(fill, value.dtype))
        for (name, value), fill in zip(found.items(), (LOW, 0, 0), strict=True)
    }
    found = _top(found, n_best)
    real = found["logits"] > LOW / 2
    for name in ("starts", "ends"):
        found[name] = tf.where(real, found[name], 0)
    return {**found, "null_logits": null_logits, "log_total": log_total}


def _of_texts(values, owner, batch):
    """[N, K] values of windows as [B, windows * K] of texts."""
    ragged = tf.RaggedTensor.from_value_rowids(values, owner, nrows=tf.cast(batch, owner.dtype))
    fill = tf.cast(LOW if values.dtype.is_floating else 0, values.dtype)
    dense = ragged.to_tensor(fill)
    shape = tf.shape(dense)
    return tf.reshape(dense, [batch, shape[1] * tf.shape(values)[1]])


def _top(found, count):
    logits, places = tf.math.top_k(found["logits"], count)
    others = {name: found[name] for name in ("starts", "ends")}
    picked = {name: tf.gather(value, places, batch_dims=1) for name, value in others.items()}
    return {"logits": logits, **picked}


def _seen_before(found):
    """Whether a better span of the same text has the same characters: [B, M]."""
    same = tf.logical_and(
        *(
            found[name][:, :, tf.newaxis] == found[name][:, tf.newaxis]
            for name in ("starts", "ends")
        )
    )
    order = tf.range(tf.shape(same)[1])
    return tf.reduce_any(same & (order < order[:, tf.newaxis]), axis=2)


def _log_total(windows, nulls, owner):
    batch = tf.size(nulls)
    highest = tf.maximum(tf.math.unsorted_segment_max(windows, owner, batch), nulls)
    parts = tf.exp(windows - tf.gather(highest, owner))
    total = tf.math.unsorted_segment_sum(parts, owner, batch) + tf.exp(nulls - highest)
    return highest + tf.math.log(total)


def answers_of(found, contexts, null_threshold):
    """Turn spans into what is answered.

    Args:
        found: dict. What `best_spans` returned.
        contexts: string tensor [B].
        null_threshold: float. How far the logit of no answer must be above
            that of the best span to be chosen; `None` to choose it only where
            there is no span.

    Returns:
        A dict of tensors, the outputs of `QuestionAnswerer.signatures`.
    """
    logits, starts, ends = (found[name] for name in ("logits", "starts", "ends"))
    texts = tf.strings.substr(contexts[:, tf.newaxis], starts, ends - starts, unit="UTF8_CHAR")
    scores = tf.exp(logits - found["log_total"][:, tf.newaxis])
    no_answer = tf.exp(found["null_logits"] - found["log_total"])
    none = logits[:, 0] < LOW / 2
    if null_threshold is not None:
        none |= found["null_logits"] - logits[:, 0] > null_threshold
    return {
        "answer": tf.where(none, "", texts[:, 0]),
        "score": tf.where(none, no_answer, scores[:, 0]),
        "start": tf.where(none, 0, starts[:, 0]),
        "end": tf.where(none, 0, ends[:, 0]),
        "no_answer_score": no_answer,
        "answers": texts,
        "scores": scores,
        "starts": starts,
        "ends": ends,
    }
