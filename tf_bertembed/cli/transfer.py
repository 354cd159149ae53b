"""`tf-bertembed checkpoint transfer`: a model with another vocabulary."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from tf_bertembed.cli.native import start_tensorflow
from tf_bertembed.cli.options import Force, Head, Json, Seed, output_as
from tf_bertembed.common import BertEmbedError


def _show(report):
    print(f"{report['source']} -> {report['output']} ({report['format']})")
    print(
        f"  vocabulary: {report['old_pieces']} pieces -> {report['vocabulary_size']}, "
        f"method {report['method']}"
    )
    for way, row in report["ways"].items():
        if row["count"]:
            text = f" {row['occurrence_share']:7.4f} of text" if "occurrence_share" in row else ""
            examples = f"  {', '.join(row['examples'])}" if row["examples"] else ""
            print(f"    {way:<7} {row['count']:>7} {row['share']:7.4f}{text}{examples}")
    if report.get("added"):
        more = report["vocabulary_size"] - report["old_pieces"] > len(report["added"])
        print(f"  added: {', '.join(report['added'])}{', ...' if more else ''}")
    if "before" in report:
        before, after = report["before"], report["after"]
        print(
            f"  corpus: {after['words']} words, {before['pieces_per_word']:.3f} pieces a word "
            f"before, {after['pieces_per_word']:.3f} after; [UNK] {before['unknown_share']:.4f} "
            f"of the pieces before, {after['unknown_share']:.4f} after"
        )
    print(f"  head: {report['task'] or 'none'}")
    if report["left_out"]:
        print(f"  not kept: {', '.join(report['left_out'])}")


def transfer(
    source: Annotated[
        str, typer.Argument(help="A RUN, or whatever `import` takes.", metavar="SOURCE")
    ],
    output: Annotated[Path, typer.Option("--output", help="The folder to make.")],
    vocabulary: Annotated[
        Path | None, typer.Option("--vocabulary", help="The new vocabulary, one piece a line.")
    ] = None,
    extend: Annotated[
        Path | None,
        typer.Option(
            "--extend",
            help="Instead: a text file whose frequent words are added to the old vocabulary.",
        ),
    ] = None,
    size: Annotated[
        int | None, typer.Option("--size", min=1, help="With --extend: how many words to add.")
    ] = None,
    method: Annotated[
        Literal["focus", "wechsel", "mean", "random"] | None,
        typer.Option(
            "--method",
            help="What new pieces are made of: a mix of pieces that both have (focus), a mix of "
            "pieces of another language (wechsel), the old pieces that they are cut into (mean), "
            "chance (random). By default wechsel with --source-vectors, focus with --vectors, "
            "--extend or --corpus, else mean.",
        ),
    ] = None,
    vectors: Annotated[
        str | None,
        typer.Option(
            "--vectors", help="Word vectors of the new domain or language: a file, or glove-6b-50d."
        ),
    ] = None,
    corpus: Annotated[
        Path | None,
        typer.Option(
            "--corpus",
            help="Texts of the new domain: for the report, for the head's biases of new pieces, "
            "and for focus without --vectors.",
        ),
    ] = None,
    source_vectors: Annotated[
        str | None,
        typer.Option("--source-vectors", help="For wechsel: word vectors of the old language."),
    ] = None,
    dictionary: Annotated[
        Path | None,
        typer.Option(
            "--dictionary",
            help="For wechsel: word, tab, translation on each line, from the old language to the "
            "new. Not where the vectors of both lie in one space.",
        ),
    ] = None,
    copying: Annotated[
        Literal["agreeing", "letterless", "special"] | None,
        typer.Option(
            "--copying",
            help="Pieces to copy where both vocabularies have them: all; numbers and punctuation "
            "(for wechsel the default); special tokens alone.",
        ),
    ] = None,
    lowercase: Annotated[
        bool | None,
        typer.Option(
            "--lowercase/--no-lowercase",
            help="Whether texts are lower-cased for --vocabulary. By default as before.",
        ),
    ] = None,
    head: Head = True,
    force: Force = False,
    seed: Seed = 0,
    as_json: Json = False,
):
    """Move a model to another vocabulary, or add words to its own.

    Pieces that both vocabularies have keep their rows; those of the others
    are made by --method. The rest of the model stays as it is, and so do
    the length of texts and the word vectors that it reads.
    """
    from tf_bertembed import tasks
    from tf_bertembed import vectors as word_vectors

    if (vocabulary is None) == (extend is None):
        raise BertEmbedError("Give one of --vocabulary and --extend.")
    if (extend is None) != (size is None):
        raise BertEmbedError("--extend and --size belong together.")
    if extend is not None and corpus is not None:
        raise BertEmbedError("--extend is the corpus too. Give --extend or --corpus, not both.")
    start_tensorflow()
    with output_as(as_json) as print_json:
        texts = corpus if extend is None else extend
        report = tasks.transfer_checkpoint(
            source,
            output,
            vocabulary=vocabulary,
            size=size,
            method=method,
            corpus=None if texts is None else [texts],
            vectors=None if vectors is None else word_vectors.load(vectors),
            source_vectors=None if source_vectors is None else word_vectors.load(source_vectors),
            dictionary=None if dictionary is None else word_vectors.read_dictionary(dictionary),
            copying=copying,
            lowercase=lowercase,
            head=head,
            overwrite=force,
            seed=seed,
        )
        (print_json or _show)(report)
