"""What servers need of the signatures of an exported model."""

import re

from tf_bertembed.export.c_library import NUMBERS, STRING

DTYPES = {STRING: "string", 14: "bfloat16", **{k: v.__name__ for k, v in NUMBERS.items()}}
DTYPES[10] = "bool"

# tensorflow_serving/servables/tensorflow/predict_util.cc refuses signatures of other methods.
PREDICT_METHOD = "tensorflow/serving/predict"
CLASSIFY_METHOD = "tensorflow/serving/classify"
REGRESS_METHOD = "tensorflow/serving/regress"
METHODS = {PREDICT_METHOD, CLASSIFY_METHOD, REGRESS_METHOD}
# tensorflow/python/saved_model/signature_constants.py
CLASSIFY_INPUTS, CLASSIFY_OUTPUTS = {"inputs"}, {"classes", "scores"}
# What json_tensor.cc of TensorFlow Serving writes.
IN_JSON = {
    *("string", "bool", "float32", "float64"),
    *("int8", "uint8", "int16", "int32", "uint32", "int64", "uint64"),
}
# Names that TensorFlow gives to what nobody named.
UNNAMED = re.compile(r"(output|args)_\d+")
DEFAULT = "serving_default"


def signature_facts(meta_graph):
    """The signatures of a graph, with names, types and shapes.

    Args:
        meta_graph: protobuf message, a `MetaGraphDef`, TensorFlow's or that
            of `protos`.

    Returns:
        Per signature a dict of `method`, `inputs` and `outputs`, each of these
        per name a dict of `dtype` and `shape`; `None` in a shape is a size
        that a request decides, and in its place where the rank is not known.
    """
    return {
        name: {
            "method": definition.method_name,
            "inputs": _tensors(definition.inputs),
            "outputs": _tensors(definition.outputs),
        }
        for name, definition in sorted(meta_graph.signature_def.items())
        if not name.startswith("__")
    }


def _tensors(infos):
    return {
        name: {
            "dtype": DTYPES.get(info.dtype, f"data type {info.dtype}"),
            "shape": None
            if info.tensor_shape.unknown_rank
            else [None if dim.size < 0 else dim.size for dim in info.tensor_shape.dim],
        }
        for name, info in sorted(infos.items())
    }


def takes_strings(facts):
    """Whether all inputs of a signature are lists of strings.

    Args:
        facts: dict. Of one signature, as `signature_facts` gives it.

    Returns:
        A bool.
    """
    inputs = facts["inputs"].values()
    return all(i["dtype"] == "string" and i["shape"] in (None, [None]) for i in inputs)


def check_signatures(signatures):
    """Find what a server would refuse or could not batch.

    Args:
        signatures: dict. As `signature_facts` gives it.

    Returns:
        Two lists of strings: problems, and notes on what works less well.
    """
    problems, notes = [], []
    if not signatures:
        problems.append("The model has no signatures: a server has nothing to answer with.")
    elif DEFAULT not in signatures:
        notes.append(f"There is no signature {DEFAULT!r}: requests must name one.")
    for name, facts in signatures.items():
        if facts["method"] not in METHODS:
            problems.append(f"{name!r} has the method {facts['method']!r}, which servers refuse.")
        if facts["method"] == CLASSIFY_METHOD:
            problems += _classify_problems(name, facts)
        for side in ("inputs", "outputs"):
            if not facts[side]:
                problems.append(f"{name!r} has no {side}.")
            for tensor, fact in facts[side].items():
                what = f"the {side[:-1]} {tensor!r} of {name!r}"
                shape = fact["shape"]
                if shape is None:
                    problems.append(f"Nothing is known of the shape of {what}.")
                elif not shape or shape[0] is not None:
                    problems.append(
                        f"The first dimension of {what} is not the batch: its shape is {shape}."
                    )
                if UNNAMED.fullmatch(tensor):
                    notes.append(f"Nobody named {what}: TensorFlow did.")
                if fact["dtype"] not in IN_JSON:
                    notes.append(f"JSON holds no {fact['dtype']}: {what} is for gRPC alone.")
    return problems, notes


def _classify_problems(name, facts):
    wrong = []
    if set(facts["inputs"]) != CLASSIFY_INPUTS:
        wrong.append(f"one input 'inputs', not {', '.join(facts['inputs']) or 'none'}")
    if not set(facts["outputs"]) <= CLASSIFY_OUTPUTS:
        wrong.append(f"outputs 'classes' and 'scores', not {', '.join(facts['outputs'])}")
    return [f"{name!r} answers classify requests: servers want {want}." for want in wrong]
