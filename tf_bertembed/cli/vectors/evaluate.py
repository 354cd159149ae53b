"""`tf-bertembed vectors evaluate`: how good word vectors are, by numbers and to look at."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from tf_bertembed.cli.options import Json, Seed, output_as
from tf_bertembed.cli.vectors.options import AllowPickle, Limit, SkipBadLines


def evaluate(
    source: Annotated[
        str, typer.Argument(help="Word vectors of any format, or a name.", metavar="VECTORS")
    ],
    pairs: Annotated[
        list[str] | None,
        typer.Option(
            "--pairs",
            help="A file of `word1 word2 score` lines, or wordsim-353 or simlex-999. May be given "
            "again.",
        ),
    ] = None,
    analogies: Annotated[
        str | None,
        typer.Option(
            "--analogies",
            help="A file of four words a line under lines of `: section`, or questions-words.",
        ),
    ] = None,
    analogy_words: Annotated[
        int,
        typer.Option(
            "--analogy-words",
            min=1,
            help="How many of the first words take part in analogies; the time grows with it.",
        ),
    ] = 30_000,
    neighbours: Annotated[
        list[str] | None,
        typer.Option("--neighbours", help="A word to show the nearest of. May be given again."),
    ] = None,
    count: Annotated[
        int, typer.Option("--count", min=1, help="How many neighbours of each word.")
    ] = 10,
    picture: Annotated[
        Path | None, typer.Option("--map", help="Draw words in two dimensions, .png.")
    ] = None,
    words: Annotated[
        Path | None, typer.Option("--words", help="The words of the map: a file, one a line.")
    ] = None,
    map_words: Annotated[
        int | None,
        typer.Option("--map-words", min=3, help="So many of the first words; 100 by default."),
    ] = None,
    method: Annotated[
        Literal["pca", "tsne"], typer.Option("--method", help="How the map is made.")
    ] = "pca",
    font: Annotated[
        Path | None, typer.Option("--font", help="A font file for the words of the map.")
    ] = None,
    case_sensitive: Annotated[
        bool,
        typer.Option(
            "--case-sensitive",
            help="Look words up as written only. By default pairs take the most frequent word in "
            "another case where there is none as written, and analogies mind no case at all.",
        ),
    ] = False,
    unknown_as_zero: Annotated[
        bool,
        typer.Option(
            "--unknown-as-zero",
            help="Count pairs with an unknown word as of cosine 0, and analogies as wrong. By "
            "default they are left out.",
        ),
    ] = False,
    limit: Limit = None,
    skip_bad_lines: SkipBadLines = False,
    allow_pickle: AllowPickle = False,
    force: Annotated[bool, typer.Option("--force", help="Replace what stands at --map.")] = False,
    seed: Seed = 0,
    as_json: Json = False,
):
    """Measure word vectors on word similarity and analogies.

    With none of --pairs, --analogies, --neighbours and --map: WordSim-353,
    SimLex-999 and Google's analogies, all of which gensim carries. --seed
    only changes a map by t-SNE.
    """
    if picture is None and (words is not None or map_words is not None):
        raise typer.BadParameter("--words and --map-words need --map, the picture to write")
    if words is not None and map_words is not None:
        raise typer.BadParameter("only one of --words and --map-words can be given")
    if not (pairs or analogies or neighbours or picture):
        pairs, analogies = ["wordsim-353", "simlex-999"], "questions-words"
    from tf_bertembed import common, vectors

    looked_up = {"case_sensitive": case_sensitive, "unknown_as_zero": unknown_as_zero}
    with output_as(as_json) as print_json:
        loaded = vectors.load(
            source, limit=limit, skip_bad_lines=skip_bad_lines, allow_pickle=allow_pickle
        )
        report = {"vectors": source, "words": len(loaded), "width": loaded.vector_size}
        if neighbours:
            report["neighbours"] = vectors.nearest_neighbours(loaded, neighbours, count=count)
        if pairs:
            report["similarity"] = [
                vectors.evaluate_similarity(loaded, file, **looked_up) for file in pairs
            ]
        if picture is not None:
            shown = map_words or 100
            if words is not None:
                shown = [line.strip() for _, line in common.read_lines(words) if line.strip()]
            report["map"] = vectors.plot_map(
                loaded, shown, picture, method=method, font=font, seed=seed, overwrite=force
            )
        if analogies:
            report["analogies"] = vectors.evaluate_analogies(
                loaded, analogies, restrict_vocab=analogy_words, **looked_up
            )
        (print_json or _show)(report)


def _show(report):
    print("{vectors}: {words} words, {width} numbers each".format(**report))
    for found in report.get("neighbours", ()):
        near = ", ".join("{word} {cosine:.3f}".format(**word) for word in found["neighbours"])
        print(f"{found['word']}{' (by n-grams)' if found['by_ngrams'] else ''}: {near}")
    if "similarity" in report:
        print("\nspearman  pearson     used    pairs  out of vocabulary")
    for row in report.get("similarity", ()):
        print(
            "{spearman:>8.4f} {pearson:>8.4f} {used:>8} {pairs:>8}  "
            "{out_of_vocabulary_share:>17.4f}  {name}".format(**row)
        )
        if row["by_ngrams"]:
            print(f"          of these, {row['by_ngrams']} pairs with vectors made of n-grams")
        if row["unknown_words"]:
            print(f"          unknown: {_some(row['unknown_words'])}")
        if row["zero_vectors"]:
            print(f"          {row['zero_vectors']} pairs left out: a vector of zeros")
    if "map" in report:
        _show_map(report["map"])
    if "analogies" in report:
        _show_analogies(report["analogies"])


def _show_map(drawn):
    print(f"\n{drawn['output']}: {len(drawn['points'])} words")
    numbered = [f"{p['label']} {p['word']}" for p in drawn["points"] if p["label"] != p["word"]]
    if numbered:
        print(f"  drawn as numbers: {', '.join(numbered)}")
    for name, why in (("unknown", "no vector"), ("zero_vectors", "a vector of zeros")):
        if drawn[name]:
            print(f"  left out, {why}: {_some(drawn[name])}")


def _show_analogies(found):
    zeros = f", {found['zero_vectors']} of them of zeros" if found["zero_vectors"] else ""
    print(f"\nanalogies among the first {found['restrict_vocab']} words{zeros}")
    print("accuracy  correct     used questions  out of vocabulary")
    for row in (*found["sections"], found):
        accuracy = "-" if row["accuracy"] is None else f"{row['accuracy']:.4f}"
        print(
            "{0:>8} {correct:>8} {used:>8} {questions:>9}  {out_of_vocabulary_share:>17.4f}  "
            "{name}".format(accuracy, **row)
        )


def _some(words):
    return f"{', '.join(words[:5])}{f' and {len(words) - 5} more' if len(words) > 5 else ''}"
