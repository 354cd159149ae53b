"""How fast, and in how much memory, are word vectors read?

GloVe 6B, 400,000 words of 50 numbers, from files written once under --output. Each turn is a new
process, timed after its imports; words and numbers must be the same, bit for bit.

    python benchmarks/reading_vectors.py [--rounds N] [--contenders NAME …]
"""

import csv
import sys
from pathlib import Path

from harness import Benchmark, Contender, Goal, options

FILES = {
    "text": ("glove.txt", "glove"),
    "binary": ("glove.bin", "word2vec-binary"),
    "safetensors": ("glove.safetensors", "safetensors"),
    "folder": ("glove", "folder"),
}
CONTENDERS = {
    "gensim, text": ("gensim_text", "text"),
    "tf_bertembed, text": ("ours", "text"),
    "gensim, binary": ("gensim_binary", "binary"),
    "tf_bertembed, binary": ("ours", "binary"),
    "tf_bertembed, safetensors": ("ours", "safetensors"),
    "tf_bertembed, folder opened": ("ours", "folder"),
    "tf_bertembed, folder, first word": ("ours_used", "folder"),
}
GOALS = [
    Goal("tf_bertembed, text", 8.0, "gensim, text"),
    Goal("tf_bertembed, text", 1 / 1.2, "gensim, text", "peak_mb"),
    Goal("tf_bertembed, binary", None, "gensim, binary"),
]


def written(output):
    """The file of each format, made where it is not there yet."""
    from tf_bertembed import vectors

    output.mkdir(parents=True, exist_ok=True)
    paths = {key: output / name for key, (name, _) in FILES.items()}
    found = None
    for key, path in paths.items():
        if not path.exists():
            found = vectors.load("glove-6b-50d") if found is None else found
            print(f"Writing {path} (once)", file=sys.stderr, flush=True)
            vectors.save(found, path, FILES[key][1])
    return {key: str(path.resolve()) for key, path in paths.items()}


def write_csv(result, path):
    """A row for each contender and round."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["contender", "round", "seconds", "cpu_seconds", "peak_mb"])
        for name, contender in result["contenders"].items():
            measured = contender["measured"]
            columns = (measured[key] for key in ("seconds", "cpu_seconds", "peak_mb"))
            for number, values in enumerate(zip(*columns, strict=True), start=1):
                table.writerow([name, number, *(f"{value:.4f}" for value in values)])


def main():
    """Run it; 1 where a goal is missed or what was read differs."""
    contenders = [
        Contender(name, f"contenders.word_vectors:{load}", settings={"path": key}, fresh=True)
        for name, (load, key) in CONTENDERS.items()
    ]
    arguments = options.parse(__doc__, contenders, rounds=3)
    paths = written(Path(arguments.output) / "work" / "vectors")
    for contender in arguments.chosen:
        contender.settings["path"] = paths[contender.settings["path"]]
    result = Benchmark(
        "reading_vectors",
        "Seconds to read GloVe 6B, 400,000 words of 50 numbers, in a new process.",
        arguments,
        "workloads:read_vectors",
        {},
        base="gensim, text",
        goals=GOALS,
        notes={"after the imports,": "files in memory"},
    ).run()
    write_csv(result, arguments.output / "reading_vectors.csv")
    marks = {m for c in result["contenders"].values() for m in c["measured"]["mark"]}
    if len(marks) != 1:
        print("error: not all contenders read the same words and numbers.", file=sys.stderr)
    return int(len(marks) != 1 or any(goal["met"] is False for goal in result["goals"]))


if __name__ == "__main__":
    sys.exit(main())
