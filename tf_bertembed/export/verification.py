"""Can a server take an exported model, and does it answer as the model in memory did?"""

from tf_bertembed.export.c_api import require_saved_model
from tf_bertembed.export.comparison import compare
from tf_bertembed.export.fresh_process import run
from tf_bertembed.export.records import read_record
from tf_bertembed.export.signature_checks import takes_strings
from tf_bertembed.export.verification_report import VerificationReport, WarmUp


def verify(path, *, tolerance=1e-5):
    """Check that a server can take an exported model, and that it answers as in memory.

    A fresh process loads the model through TensorFlow's C API (the C++ loader
    that servers use) without importing any of TensorFlow's Python. It runs
    the texts that the export recorded, all at once and each alone, and then
    the model's warm-up requests, as TensorFlow Serving does before it says
    that a model is there. The answers are compared with the recorded ones,
    and those to each text alone with those within the batch. The graph is
    held to the lists of the ops that a stock TensorFlow Serving 2.19 and 2.20
    has; the signatures to what servers take and can batch.

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
        FileFormatError: where `path` is no SavedModel, TensorFlow cannot load
            it, or its record is damaged.
        BertEmbedError: where the process that loads the model fails.

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
    inputs, recorded, _ = read_record(folder)
    found = run(folder, inputs, inspected=True)
    problems = [*found["problems"], *_unlike(found, recorded)]
    checks = [
        compare(
            *(signature, name, array, found["outputs"][signature][name], tolerance),
            alone=found["alone"][signature][name],
        )
        for signature, arrays in recorded.items()
        for name, array in arrays.items()
        if name in found["outputs"].get(signature, {})
    ]
    return VerificationReport(
        path=str(path),
        tensorflow=found["tensorflow"],
        examples=len(next(iter(next(iter(inputs.values())).values()))),
        tolerance=tolerance,
        checks=tuple(checks),
        ops=tuple(found["ops"]),
        problems=tuple(problems),
        notes=tuple(found["notes"]),
        signatures=found["signatures"],
        warm_up=WarmUp(**found["warm_up"]) if found["warm_up"] else None,
        load_seconds=found["load_seconds"],
        library_memory=found["library_memory"],
        loaded_memory=found["loaded_memory"],
        peak_memory=found["peak_memory"],
        size=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
    )


def _unlike(found, recorded):
    """What the model has and its record lacks, and the other way round."""
    signatures = found["signatures"]
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
