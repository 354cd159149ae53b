"""Can a server take an exported model, and does it answer as the model in memory did?"""

from pathlib import Path

from google.protobuf.message import DecodeError

from tf_bertembed.common import FileFormatError
from tf_bertembed.export.c_api import require_saved_model
from tf_bertembed.export.comparison import compare
from tf_bertembed.export.fresh_process import ProcessError, run
from tf_bertembed.export.protos import message_class
from tf_bertembed.export.records import RECORD, read_record
from tf_bertembed.export.servability import graph_ops, servability_problems
from tf_bertembed.export.signature_checks import check_signatures, signature_facts, takes_strings
from tf_bertembed.export.verification_report import VerificationReport, WarmUp

SERVE = "serve"
VARIABLE = "VarHandleOp"


def verify(path, *, tolerance=1e-5):
    """Check that a server can take an exported model, and that it answers as in memory.

    A fresh process loads the model through TensorFlow's C API (the C++ loader
    that servers use) without importing any of TensorFlow's Python. It runs
    the texts that the export recorded, all at once and each alone, and then
    the model's warm-up requests, as TensorFlow Serving does before it says
    that a model is there. The answers are compared with the recorded ones,
    and those to each text alone with those within the batch. The graph is
    held to the lists of the ops that a stock TensorFlow Serving 2.19 and 2.20
    has; the signatures to what servers take and can batch. That is done before
    the model is loaded, so that a model that does not load is told as much of.

    Args:
        path: string or `pathlib.Path`. The folder of one version, for example
            `saved_models/bbc/1`.
        tolerance: float. The largest difference that passes, over the largest
            magnitude of the output.

    Returns:
        A `VerificationReport`; its `ok` says whether all is well, its
        `reasons` why not.

    Raises:
        MissingFileError: where there is nothing at `path`, or no record of
            what the model answered.
        FileFormatError: where `path` is no folder with a `saved_model.pb`.
        BertEmbedError: where the installed TensorFlow cannot be used. What is
            wrong with the model is in the report instead: that it does not
            load, that a file is damaged, or that the process that runs it
            crashes.

    Example:

    ```python
    from tf_bertembed import export

    try:
        export.verify("saved_models/bbc/1")
    except FileNotFoundError as error:
        assert "saved_models/bbc/1 does not exist" in str(error)
    ```
    """
    folder = require_saved_model(path)
    graph, problems = _read_graph(folder)
    notes, signatures, ops = [], {}, []
    if graph is not None:
        signatures, ops = signature_facts(graph), graph_ops(graph)
        wrong, notes = check_signatures(signatures)
        problems += _missing_weights(folder, ops) + servability_problems(graph) + wrong
    try:
        inputs, recorded, _ = read_record(folder)
    except FileFormatError as error:
        inputs, recorded = {}, None
        problems.append(f"{RECORD}: {error.problem}")
    # Without its graph or its weights there is nothing to load.
    loadable = graph is not None and not _missing_weights(folder, ops)
    found = _run(folder, inputs, problems) if loadable else None
    checks = []
    if found is not None:
        notes += found["notes"]
        problems += found["problems"]
        problems += () if recorded is None else _unlike(signatures, recorded)
        checks = _compared(found, recorded or {}, tolerance)
    told = found or {}
    return VerificationReport(
        path=str(path),
        tensorflow=told.get("tensorflow"),
        examples=max((len(c) for columns in inputs.values() for c in columns.values()), default=0),
        tolerance=tolerance,
        checks=tuple(checks),
        ops=tuple(ops),
        problems=tuple(" ".join(problem.split()) for problem in problems),
        notes=tuple(notes),
        signatures=signatures,
        warm_up=WarmUp(**told["warm_up"]) if told.get("warm_up") else None,
        load_seconds=told.get("load_seconds"),
        library_memory=told.get("library_memory"),
        loaded_memory=told.get("loaded_memory"),
        peak_memory=told.get("peak_memory"),
        size=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
    )


def _read_graph(folder):
    """The graph that servers load, `None` where there is none, and what is wrong with it."""
    data = (folder / "saved_model.pb").read_bytes()
    try:
        graphs = message_class("SavedModel").FromString(data).meta_graphs
    except DecodeError:
        return None, ["saved_model.pb is damaged: it is no SavedModel. Export the model again."]
    for graph in graphs:
        if SERVE in graph.meta_info_def.tags:
            return graph, []
    return None, [f"saved_model.pb holds no graph with the tag {SERVE!r}, which servers load."]


def _missing_weights(folder, ops):
    index = Path("variables") / "variables.index"
    if VARIABLE in ops and not (folder / index).is_file():
        return [f"{index} is missing, and so are the model's weights. Export the model again."]
    return []


def _run(folder, inputs, problems):
    """What a fresh process finds; `None`, with one more problem, where the model stops it."""
    try:
        return run(folder, inputs, inspected=True)
    except FileFormatError as error:
        problems.append(error.problem)
    except ProcessError as error:
        problems.append(str(error))
    return None


def _compared(found, recorded, tolerance):
    return [
        compare(
            *(signature, name, array, found["outputs"][signature][name], tolerance),
            alone=found["alone"][signature][name],
        )
        for signature, arrays in recorded.items()
        for name, array in arrays.items()
        if name in found["outputs"].get(signature, {})
    ]


def _unlike(signatures, recorded):
    """What the model has and its record lacks, and the other way round."""
    for signature in signatures.keys() - recorded.keys():
        if takes_strings(signatures[signature]):
            yield f"The model has a signature {signature!r} that was not recorded."
    for signature, arrays in recorded.items():
        if signature not in signatures:
            yield f"The model lacks the signature {signature!r} that was recorded."
            continue
        names = signatures[signature]["outputs"].keys()
        for name in sorted(names - arrays.keys()):
            yield f"{signature!r} has an output {name!r} that was not recorded."
        for name in sorted(arrays.keys() - names):
            yield f"{signature!r} lacks the output {name!r} that was recorded."
