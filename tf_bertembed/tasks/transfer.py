"""A task, or a checkpoint on disk, moved to another vocabulary."""

import warnings

import numpy as np

from tf_bertembed import models, text
from tf_bertembed.common import BertEmbedError, atomic_path, derive_seed
from tf_bertembed.layers import MaskedLMHead
from tf_bertembed.models.parts import check_parts
from tf_bertembed.tasks.checkpoint_parts import (
    EXISTS,
    CheckpointParts,
    check_spared,
    read_checkpoint,
    require_preprocessor,
    seed_all,
    write_parts,
)
from tf_bertembed.text.counting import corpus_statistics
from tf_bertembed.text.vocabulary import check_several
from tf_bertembed.vectors import mix_pieces
from tf_bertembed.vectors.mixing.piece_mixture import COPIED, EXAMPLES
from tf_bertembed.vectors.wordpiece import SPECIAL

# What only repeats how the parts were made, or is made anew.
_REPLACED = ("backbone", "preprocessor")


def transfer_task(task, mixture, tokenizer=None, seed=0, counts=None):
    """Make a copy of a task that reads another vocabulary.

    The backbone is moved as by `models.transfer_vocabulary`. A head that
    scores the pieces of the vocabulary has the rows of its bias, and of its
    table where it has one of its own, made in the same way; other heads stay
    as they are. The copy's optimizer starts afresh.

    A bias tells how frequent a piece is, which a mix does not: a word of
    frequent parts may be rare. With `counts`, the biases of pieces that are
    not copied follow from the logarithms of their shares of a corpus, brought
    to the mean and the deviation that the biases of the old pieces have.

    Args:
        task: a `Pretrainer` or another task; it is not changed.
        mixture: a `vectors.PieceMixture` from its vocabulary to the new one.
        tokenizer: `BertEmbedTokenizer`. The one of the new vocabulary;
            `None` for one with the flags of the old one. It goes into a
            preprocessor like the old one, where there is one.
        seed: int. Draws the rows that are made of no old one.
        counts: array of shape `[V]`, numbers. How often each new piece occurs
            in a corpus (see `text.count_pieces`); 1 is added to each. `None`
            to mix biases like other rows.

    Returns:
        A task of the same class.

    Raises:
        BertEmbedError: where mixture, task, tokenizer and counts do not fit.

    Example:

    ```python
    from tf_bertembed import models, tasks, text, vectors

    old = [*text.SPECIAL_TOKENS, "play", "##ed", "##s"]
    task = tasks.Pretrainer(models.BertEmbedBackbone(len(old), 1, 2, 8, 16))
    mixture = vectors.mix_pieces(old, [*old, "played"], "mean")
    moved = tasks.transfer_task(task, mixture)
    assert moved.masked_lm_head.output_bias.shape == (9,)
    ```
    """
    counts = _checked(counts, mixture)
    backbone = models.transfer_vocabulary(task.backbone, mixture, seed)
    preprocessor = task.preprocessor
    if preprocessor is not None:
        preprocessor = _with_vocabulary(preprocessor, mixture, tokenizer)
    config = {name: value for name, value in task.get_config().items() if name not in _REPLACED}
    moved = type(task)(backbone=backbone, preprocessor=preprocessor, **config)
    for layer in task.layers:
        if layer is task.backbone or not layer.weights:
            continue
        place = moved.get_layer(layer.name)
        if isinstance(layer, MaskedLMHead):
            _move_head(layer, place, mixture, seed, counts)
        else:
            place.set_weights(layer.get_weights())
    return moved


def _checked(counts, mixture):
    if counts is None:
        return None
    counts, number = np.asarray(counts, "float64"), len(mixture.pieces)
    if counts.shape != (number,) or not (np.isfinite(counts) & (counts >= 0)).all():
        raise BertEmbedError(
            f"`counts` must have a number, not below 0, for each of the {number} new pieces. "
            f"Received: shape {counts.shape}"
            + (f", least {np.min(counts)}." if counts.size else ".")
        )
    return counts


def _move_head(old, new, mixture, seed, counts):
    new.transform_dense.set_weights(old.transform_dense.get_weights())
    new.transform_norm.set_weights(old.transform_norm.get_weights())
    tables = ["output_bias"] if old.tie_weights else ["output_bias", "output_embeddings"]
    for name in tables:
        mixed = mixture.mix(getattr(old, name), derive_seed(seed, name))
        getattr(new, name).assign(mixed)
    if counts is not None:
        biases = (np.asarray(head.output_bias) for head in (old, new))
        new.output_bias.assign(_counted(*biases, mixture, counts))


def _counted(old, mixed, mixture, counts):
    """Biases, those of pieces that are not copied by their share of a corpus."""
    plain, old_plain = (
        np.array([SPECIAL.fullmatch(piece) is None for piece in pieces])
        for pieces in (mixture.pieces, mixture.old_pieces)
    )
    made = plain & ~np.isin(mixture.ways, COPIED)
    old = old[: len(old_plain)][old_plain]
    if not made.any() or not old.size:
        return mixed
    logs = np.log((counts + 1) / (counts + 1).sum())
    slope = old.std() / logs[plain].std() if np.ptp(logs[plain]) else 0.0
    return np.where(made, old.mean() + slope * (logs - logs[plain].mean()), mixed)


def _with_vocabulary(preprocessor, mixture, tokenizer=None):
    """A preprocessor like the old one, of another tokenizer."""
    if tokenizer is None:
        tokenizer = _like(preprocessor.tokenizer, mixture.pieces)
    elif tokenizer.get_vocabulary() != mixture.pieces:
        raise BertEmbedError(
            "`tokenizer` must have the new vocabulary of the mixture. Received: one of "
            f"{tokenizer.vocabulary_size()} pieces, the mixture has {len(mixture.pieces)}."
        )
    return text.Preprocessor(
        tokenizer,
        preprocessor.sequence_length,
        static_words=preprocessor.static_words,
        padding=preprocessor.padding,
    )


def _like(tokenizer, vocabulary, lowercase=None):
    """A tokenizer with the flags of another one, those that are given aside."""
    config = tokenizer.get_config()
    if lowercase is not None:
        config["lowercase"] = lowercase
    made = type(tokenizer).from_config(config)
    made.set_vocabulary(vocabulary)
    return made


def transfer_checkpoint(
    path_or_name,
    folder,
    vocabulary=None,
    size=None,
    method=None,
    corpus=None,
    vectors=None,
    source_vectors=None,
    dictionary=None,
    copying=None,
    lowercase=None,
    head=True,
    overwrite=False,
    seed=0,
):
    """Move a checkpoint to another vocabulary, or to its own with more words.

    Whatever reads text goes along: a tokenizer with the flags of the old one,
    the preprocessor with its length and its words, how a
    sentence-transformers folder pools, and the head.

    Args:
        path_or_name: string or `pathlib.Path`. A RUN, or a checkpoint that
            `import_checkpoint` takes.
        folder: string or `pathlib.Path`. The folder to make.
        vocabulary: list of strings, or the path of a vocabulary file. `None`
            to extend the old one.
        size: int. How many words of `corpus` to add where `vocabulary` is
            `None`; see `text.extend_vocabulary`.
        method: string. As `vectors.mix_pieces` takes it. By default
            `"wechsel"` where there are `source_vectors`, `"focus"` where there
            are `vectors` or a `corpus`, else `"mean"`.
        corpus: iterable of strings, which are texts, and of `pathlib.Path`s,
            which are text files. Texts of the new domain: for the report, for
            the biases of new pieces (see `transfer_task`), and for `"focus"`
            without `vectors`, which then learns vectors of the new pieces on
            it (see `text.train_piece_vectors`).
        vectors: `gensim.models.KeyedVectors`. See `vectors.mix_pieces`.
        source_vectors: `gensim.models.KeyedVectors`. See `vectors.mix_pieces`.
        dictionary: list of pairs of strings. See `vectors.mix_pieces`.
        copying: string. See `vectors.mix_pieces`.
        lowercase: bool. Whether the new tokenizer lower-cases; `None` for what
            the old one does.
        head: bool. Whether to keep the head too.
        overwrite: bool. Whether to replace what stands at `folder`.
        seed: int. Seeds what is drawn or learned.

    Returns:
        A dict, ready for JSON: that of `import_checkpoint`, and `method`,
        `old_pieces`, `ways` (see `vectors.PieceMixture`), `added`, a few words
        that were added to an extended vocabulary, and, where there is a
        corpus, `before` and `after`: dicts of its `words`, `pieces_per_word`
        and `unknown_share`.

    Raises:
        MissingFileError: where a needed file is missing.
        FileFormatError: where a file is not what it should be.
        OutputExistsError: where something stands at `folder` and `overwrite`
            is False.
        BertEmbedError: where the output is the source, or arguments do not
            fit one another.

    Example:

    ```python
    from tf_bertembed import models, tasks, text

    tokenizer = text.BertEmbedTokenizer([*text.SPECIAL_TOKENS, "gen", "##e", "a"])
    models.BertEmbedBackbone(8, 1, 2, 8, 16).save_to_preset("run")
    text.Preprocessor(tokenizer, 16).save_to_preset("run")
    report = tasks.transfer_checkpoint(
        "run", "moved", size=1, method="mean", corpus=["A gene, a gene"]
    )
    assert report["added"] == ["gene"] and report["ways"]["mean"]["count"] == 1
    assert report["before"]["pieces_per_word"] > report["after"]["pieces_per_word"]
    ```

    References:
        Dobler and de Melo, 2023, https://arxiv.org/abs/2305.14481; Minixhofer
        et al., 2022, https://arxiv.org/abs/2112.06598
    """
    source = models.find_checkpoint(path_or_name)
    check_spared(source, folder)
    with atomic_path(folder, overwrite=overwrite, remedy=EXISTS) as place:
        if method is None:
            method = _default_method(vectors, source_vectors, corpus)
        corpus = None if corpus is None else list(check_several(corpus))
        seed_all(seed)
        form, old = read_checkpoint(source, head=head)
        require_preprocessor(old, source)
        tokenizer = _new_tokenizer(old.preprocessor.tokenizer, vocabulary, size, corpus, lowercase)
        spaces = {"vectors": vectors, "source_vectors": source_vectors, "dictionary": dictionary}
        if method == "focus" and vectors is None and corpus is not None:
            spaces["piece_vectors"] = text.train_piece_vectors(corpus, tokenizer, seed=seed)
        pieces = tokenizer.get_vocabulary()
        old_pieces = old.preprocessor.tokenizer.get_vocabulary()
        mixture = mix_pieces(old_pieces, pieces, method, copying=copying, **spaces)
        words = None if corpus is None else text.count_words(corpus, tokenizer)
        counts = None if words is None else text.count_pieces(words, tokenizer)
        new = _move(old, mixture, tokenizer, seed, counts)
        check_parts(new.backbone, new.preprocessor)
        report = {"method": method, "old_pieces": len(old_pieces), "ways": mixture.to_dict(counts)}
        if words is not None:
            report["before"] = corpus_statistics(words, old.preprocessor.tokenizer)
            report["after"] = corpus_statistics(words, tokenizer)
        if vocabulary is None:
            report["added"] = pieces[len(old_pieces) :][:EXAMPLES]
        write_parts(new, place)
    told = {"source": str(path_or_name), "format": form, "output": str(folder)}
    return {**told, **new.report(), **report}


def _default_method(vectors, source_vectors, corpus):
    if source_vectors is not None:
        return "wechsel"
    return "mean" if vectors is None and corpus is None else "focus"


def _new_tokenizer(old, vocabulary, size, corpus, lowercase):
    if vocabulary is not None:
        if size is not None:
            raise BertEmbedError(
                "`size` is how many words to add to the old vocabulary; a new one, `vocabulary`, "
                f"is taken as it is. Received both, size={size}."
            )
        tokenizer = _like(old, vocabulary, lowercase)
        lost = [p for p in tokenizer.get_vocabulary() if tokenizer.lowercase and p != p.lower()]
        lost = [piece for piece in lost if not SPECIAL.fullmatch(piece)]
        if lost:
            warnings.warn(
                f"{len(lost)} pieces of the new vocabulary have capitals ({', '.join(lost[:3])}), "
                "but the tokenizer lower-cases as the old one did, so no text has them. Pass "
                "`lowercase=False` (--no-lowercase) for a cased vocabulary.",
                stacklevel=3,
            )
        return tokenizer
    if size is None or corpus is None:
        raise BertEmbedError(
            "What vocabulary to move to? Pass `vocabulary`, or `corpus` and `size`, how many of "
            f"its words to add to the old one. Received: size={size}, corpus="
            f"{'None' if corpus is None else 'given'}."
        )
    if lowercase not in (None, old.lowercase):
        raise BertEmbedError(
            "An extended vocabulary keeps the case of the old one; `lowercase` is for a new one. "
            f"Received: lowercase={lowercase}."
        )
    return _like(old, text.extend_vocabulary(old, corpus, size))


def _move(old, mixture, tokenizer, seed, counts):
    if old.task is not None:
        task = transfer_task(old.task, mixture, tokenizer, seed, counts)
        return CheckpointParts(task.backbone, task, None, old.left_out, sentences=old.sentences)
    backbone = models.transfer_vocabulary(old.backbone, mixture, seed)
    preprocessor = _with_vocabulary(old.preprocessor, mixture, tokenizer)
    return CheckpointParts(backbone, None, preprocessor, old.left_out, sentences=old.sentences)
