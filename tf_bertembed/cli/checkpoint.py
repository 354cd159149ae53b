"""`tf-bertembed checkpoint`: models of other libraries in, and ours out."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from tf_bertembed.cli.native import start_tensorflow
from tf_bertembed.cli.options import Force, Head, Json, Seed, output_as
from tf_bertembed.cli.transfer import transfer

checkpoint = typer.Typer(
    name="checkpoint",
    help="Read and write the checkpoints of other libraries.",
    rich_markup_mode=None,
)

Output = Annotated[Path, typer.Option("--output", help="The folder to make.")]


def _show(report):
    print(f"{report['source']} -> {report['output']} ({report['format']})")
    print(
        f"  encoder: {report['num_layers']} layers, {report['hidden_dim']} wide, "
        f"{report['num_heads']} heads, {report['vocabulary_size']} pieces, {report['activation']}"
    )
    print(f"  head: {report['task'] or 'none'}")
    if "lowercase" in report:
        case = "lower-cases" if report["lowercase"] else "keeps capitals"
        told = f" ({report['lowercase_from']})" if "lowercase_from" in report else ""
        print(f"  tokenizer: {case}{told}, at most {report['sequence_length']} pieces in a text")
    if "pooling" in report:
        length = "brought to length 1" if report["normalize"] else "not normalised"
        print(f"  vectors: pooled by {report['pooling']}, {length}")
    if report["left_out"]:
        print(f"  not kept: {', '.join(report['left_out'])}")


@checkpoint.command("import")
def import_(
    source: Annotated[
        str,
        typer.Argument(
            help="A Hugging Face or sentence-transformers folder, a folder with Google's "
            "bert_config.json and bert_model.ckpt.*, a keras-nlp preset, or a name.",
            metavar="SOURCE",
        ),
    ],
    output: Output,
    lowercase: Annotated[
        bool | None,
        typer.Option(
            "--lowercase/--no-lowercase",
            help="For Google's folders: whether texts are lower-cased. By default as the "
            "folder's name says (cased, uncased), or else the pieces.",
        ),
    ] = None,
    activation: Annotated[
        Literal["gelu", "gelu_tanh", "relu"] | None,
        typer.Option(
            "--activation",
            help="For Google's folders, where gelu means gelu_tanh in Google's released code: "
            "another one.",
        ),
    ] = None,
    sequence_length: Annotated[
        int | None,
        typer.Option(
            "--sequence-length",
            min=3,
            help="The most pieces of a text. By default as the checkpoint says.",
        ),
    ] = None,
    head: Head = True,
    force: Force = False,
    seed: Seed = 0,
    as_json: Json = False,
):
    """Turn a checkpoint into a folder for this project.

    The format is found out. Heads of masked words, next sentences and
    classes are kept; the tokenizer and the vocabulary go along. What the
    checkpoint lacks, such as a pooler, starts at random by --seed.
    """
    from tf_bertembed import tasks

    start_tensorflow()
    with output_as(as_json) as print_json:
        report = tasks.import_checkpoint(
            source,
            output,
            lowercase=lowercase,
            sequence_length=sequence_length,
            activation=activation,
            head=head,
            overwrite=force,
            seed=seed,
        )
        (print_json or _show)(report)


@checkpoint.command("export")
def export(
    run: Annotated[str, typer.Argument(help="A RUN, or whatever `import` takes.", metavar="RUN")],
    output: Output,
    form: Annotated[
        Literal["huggingface", "keras-nlp"], typer.Option("--format", help="The format to write.")
    ] = "huggingface",
    head: Head = True,
    approximate: Annotated[
        bool,
        typer.Option(
            "--approximate",
            help="For keras-nlp: write even where its GELU or epsilon gives other numbers.",
        ),
    ] = False,
    force: Force = False,
    seed: Seed = 0,
    as_json: Json = False,
):
    """Write a model in the format of another library.

    `huggingface` for transformers, with the head where there is one;
    `keras-nlp` for its own BertBackbone and BertTokenizer, without. What the
    checkpoint lacks, such as a pooler, starts at random by --seed.
    """
    from tf_bertembed import tasks

    start_tensorflow()
    with output_as(as_json) as print_json:
        report = tasks.export_checkpoint(
            run,
            output,
            form=form,
            head=head,
            approximate=approximate,
            overwrite=force,
            seed=seed,
        )
        (print_json or _show)(report)


checkpoint.command("transfer")(transfer)
