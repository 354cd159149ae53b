"""What would keep a stock TensorFlow Serving 2.19 or 2.20 from loading a graph."""

import functools
from pathlib import Path

# Data files of TensorFlow Serving's ops; README.md there says how they were made.
OP_LISTS = Path(__file__).parent / "op_lists"
SERVERS = ("2.19", "2.20")

JIT_ATTRIBUTE = "_XlaMustCompile"
GRADIENT_ATTRIBUTE = "_gradient_op_type"
CUSTOM_GRADIENT = b"CustomGradient-"


@functools.cache
def served_ops(version):
    """List the ops that a stock TensorFlow Serving has, with a kernel for CPUs.

    Args:
        version: string. One of `SERVERS`.

    Returns:
        Per op a frozen set of the names of its attributes.
    """
    text = (OP_LISTS / f"tensorflow_serving_{version}.txt").read_text(encoding="utf-8")
    entries = (line.split(" ") for line in text.splitlines() if not line.startswith("#"))
    return {op: frozenset(attributes) for op, *attributes in entries}


def _holders(meta_graph):
    graph = meta_graph.graph_def
    yield "the main graph", None, graph.node
    for function in graph.library.function:
        yield f"the function {function.signature.name!r}", function.attr, function.node_def


def _own_functions(meta_graph):
    return {function.signature.name for function in meta_graph.graph_def.library.function}


def graph_ops(meta_graph):
    """List the ops that a graph and its functions hold.

    Args:
        meta_graph: protobuf message, a `MetaGraphDef`.

    Returns:
        A sorted list of strings, without calls of the graph's own functions.
    """
    own = _own_functions(meta_graph)
    return sorted({node.op for _, _, nodes in _holders(meta_graph) for node in nodes} - own)


def servability_problems(meta_graph):
    """Find what a stock TensorFlow Serving lacks or stumbles over.

    Args:
        meta_graph: protobuf message, a `MetaGraphDef`.

    Returns:
        A list of strings, one a problem; empty where there is none.
    """
    problems = _lacking(meta_graph)
    for place, attributes, nodes in _holders(meta_graph):
        jitted = [attributes] if attributes is not None else []
        if any(
            JIT_ATTRIBUTE in holder and holder[JIT_ATTRIBUTE].b
            for holder in (*jitted, *(node.attr for node in nodes))
        ):
            problems.append(f"{place} is compiled by XLA (jit_compile=True).")
        leftovers = [
            node.name
            for node in nodes
            if GRADIENT_ATTRIBUTE in node.attr
            and node.attr[GRADIENT_ATTRIBUTE].s.startswith(CUSTOM_GRADIENT)
        ]
        if leftovers:
            problems.append(
                f"{place} names custom gradients that are not saved, at {leftovers[0]!r}."
            )
    return problems


def _lacking(meta_graph):
    """Ops, and attributes of ops, that a server does not know, each with its first node."""
    own, places = _own_functions(meta_graph), {}
    for place, _, nodes in _holders(meta_graph):
        for node in nodes:
            if node.op not in own:
                # Those with an underscore are annotations, which any op may carry.
                attributes = frozenset(a for a in node.attr if not a.startswith("_"))
                places.setdefault((node.op, attributes), f"{node.name!r} of {place}")
    found = {}
    for (op, attributes), place in places.items():
        for version in SERVERS:
            ops = served_ops(version)
            unknown = [f"the op {op!r}"]
            if op in ops:
                unknown = [f"{name!r} of the op {op!r}" for name in sorted(attributes - ops[op])]
            for what in unknown:
                found.setdefault(what, (place, []))[1].append(version)
    return [
        f"TensorFlow Serving {' and '.join(sorted(set(versions)))} "
        f"lack{'' if len(set(versions)) > 1 else 's'} {what}, as in the node {place}."
        for what, (place, versions) in sorted(found.items())
    ]
