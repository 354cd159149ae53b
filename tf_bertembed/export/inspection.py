"""What a process without TensorFlow's Python finds out about an exported model."""

import time
from pathlib import Path

from tf_bertembed.common import BertEmbedError
from tf_bertembed.export import c_library, records
from tf_bertembed.export.c_api import CApiModel
from tf_bertembed.export.comparison import alone_difference
from tf_bertembed.export.signature_checks import signature_facts, takes_strings
from tf_bertembed.export.warmup_replay import WARMUP, replay


def inspect(path, requests):
    """Load an exported model, run all that was recorded of it, and its warm-up.

    Args:
        path: string. The folder of one version.
        requests: dict. Per signature the recorded inputs, each a list of
            strings or bytes.

    Returns:
        A dict that JSON can hold: `outputs` and `alone`, per signature and
        output the encoded answer to all examples and how far the answers to
        each alone are from it; `warm_up`, as `replay` gives it; `problems`,
        `notes`; `tensorflow`, `load_seconds`, and bytes of memory:
        `library_memory` before the model was loaded, `loaded_memory` then,
        `peak_memory` at most, `None` where the system does not tell.
    """
    # Not what a server would pay again for each version.
    c_library.load()
    library_memory, _ = _memory()
    start = time.perf_counter()
    with CApiModel(path) as model:
        load_seconds = time.perf_counter() - start
        loaded_memory, _ = _memory()
        problems, notes = [], []
        # First, as servers do: what a new model is slow at shows here.
        warm_up = replay(model)
        outputs, alone = {}, {}
        for name, facts in signature_facts(model.meta_graph).items():
            if not takes_strings(facts):
                inputs = ", ".join(
                    f"{fact['dtype']} {fact['shape']} as {tensor!r}"
                    for tensor, fact in facts["inputs"].items()
                )
                notes.append(f"{name!r} was not run, since it takes {inputs}.")
            elif name in requests:
                try:
                    outputs[name], alone[name] = _answers(model, name, requests[name])
                except BertEmbedError as error:
                    problems.append(str(error))
        if warm_up is None:
            notes.append(f"There are no warm-up requests ({WARMUP}): the first answers are slow.")
        else:
            problems += warm_up.pop("problems")
            notes += warm_up.pop("notes")
        return {
            "outputs": outputs,
            "alone": alone,
            "warm_up": warm_up,
            "problems": problems,
            "notes": notes,
            "tensorflow": model.tensorflow,
            "load_seconds": load_seconds,
            "library_memory": library_memory,
            "loaded_memory": loaded_memory,
            "peak_memory": _memory()[1],
        }


def _answers(model, signature, inputs):
    """The answers to all examples, and how far those to each alone are from them."""
    outputs = model.run(inputs, signature)
    count = len(next(iter(inputs.values())))
    singles = [
        model.run({name: column[index : index + 1] for name, column in inputs.items()}, signature)
        for index in range(count)
    ]
    encoded, alone = {}, {}
    for name, array in outputs.items():
        if array.shape[:1] != (count,):
            raise BertEmbedError(
                f"The output {name!r} of {signature!r} has the shape {list(array.shape)} for "
                f"{count} examples: its first dimension is not the batch."
            )
        encoded[name] = records.encode(array)
        alone[name] = alone_difference(array, [single[name] for single in singles])
    return encoded, alone


def _memory():
    """What this process holds now and held at most, in bytes."""
    # Not getrusage: what it calls the peak begins with that of the process that started this one.
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None, None
    entries = dict(line.split(":", 1) for line in lines)
    # "VmRSS: 1234 kB"
    return tuple(int(entries[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))
