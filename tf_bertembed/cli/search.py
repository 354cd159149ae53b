"""`tf-bertembed search`: the lines of a file that are nearest in meaning."""

from pathlib import Path
from typing import Annotated

import typer

from tf_bertembed.cli.native import start_tensorflow
from tf_bertembed.cli.options import Force, Json, Seed, output_as
from tf_bertembed.common import BertEmbedError

DEFAULT_MODEL = "all-minilm-l6-v2"


def search(
    place: Annotated[
        Path,
        typer.Argument(
            help="A UTF-8 file, a text a line, may be gzipped; or an index that --output made.",
            metavar="INDEX_OR_FILE",
        ),
    ],
    queries: Annotated[
        list[str] | None, typer.Argument(help="What to look for.", metavar="QUERY...")
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="How many texts for each query.")] = 10,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            help="A RUN, an exported model, a checkpoint folder or a name. By default the one "
            f"that made the index, and {DEFAULT_MODEL} for a file.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="The folder to keep the index of a file in.")
    ] = None,
    approximate: Annotated[
        bool,
        typer.Option(
            "--approximate",
            help="Make a graph of neighbours with --output, and search by it: faster among very "
            "many texts, and some may be missed. Needs faiss-cpu.",
        ),
    ] = False,
    sequence_length: Annotated[
        int | None,
        typer.Option("--sequence-length", min=3, help="For a file: the most pieces of a text."),
    ] = None,
    force: Force = False,
    seed: Seed = 0,
    as_json: Json = False,
):
    """Find the texts of a file nearest in meaning to queries.

    A file is encoded anew each time; with --output its vectors are kept as an
    index, which is then searched by its name. Nothing here is random: --seed
    changes nothing.
    """
    queries = queries or []
    if output is None and not queries:
        raise BertEmbedError("There is nothing to look for: give a QUERY, or --output.")
    if output is not None and place.is_dir():
        raise BertEmbedError(f"--output keeps the index of a file. Received the folder {place}.")
    if approximate and output is None and not place.is_dir():
        raise BertEmbedError("--approximate needs an index: make one of the file with --output.")
    from tf_bertembed import probe

    start_tensorflow(streams=True)
    with output_as(as_json) as print_json:
        report = None
        if not place.is_dir():
            model = model or DEFAULT_MODEL
        if output is not None:
            settings = {"sequence_length": sequence_length, "overwrite": force}
            report = probe.build_index(model, place, output, approximate, **settings)
            place = sequence_length = None
        found = []
        if queries:
            with probe.open_index(place or output, model, sequence_length) as index:
                found = index.search(queries, top, approximate)
        results = [
            {"query": query, "results": lines} for query, lines in zip(queries, found, strict=True)
        ]
        if print_json:
            print_json({"index": report, "queries": results})
            return
        if report is not None:
            print("{texts} texts, {dimensions} numbers each: {output}".format(**report))
            if approximate:
                print(f"The graph finds {report['recall_at_10']:.1%} of the 10 nearest texts.")
        for result in results:
            if len(results) > 1:
                print(f"\n{result['query']}")
            for line in result["results"]:
                print(f"{line['score']:.4f}  {line['line']:>6}  {line['text']}")
