"""What would keep a stock TensorFlow Serving 2.19 or 2.20 from loading a graph."""

# Found by comparing TF_GetAllOpList of the wheels tensorflow 2.21.0 and 2.19.1.
CORE_OPS_SINCE_2_19 = {
    "DecodeJxl",
    "DecodeWebP",
    "TPUDummyInput",
    "XlaSparseActivationsUnstack",
    "XlaSparseDenseMatmulCustomCombinerOnTcGradWithAdagradAndCsrInput",
    "XlaSparseDenseMatmulCustomCombinerOnTcGradWithAdagradMomentumAndCsrInput",
    "XlaSparseDenseMatmulCustomCombinerOnTcGradWithAdamAndCsrInput",
    "XlaSparseDenseMatmulCustomCombinerOnTcGradWithCsrInput",
    "XlaSparseDenseMatmulCustomCombinerOnTcGradWithFtrlAndCsrInput",
    "XlaSparseDenseMatmulCustomCombinerOnTcGradWithSgdAndCsrInput",
    "XlaSparseDenseMatmulCustomCombinerOnTcWithCsrInput",
    "XlaSparseGradientsStack",
    "_CopyFromGpuToHost",
    "_CopyFromHostToGpu",
}

# Likewise tensorflow-text 2.21.1 and 2.12.1, the version that Serving carries
# (https://github.com/tensorflow/serving/pull/4057).
TEXT_OPS_SINCE_2_12 = {
    "TFText>RoundRobinGenerateMasks",
    "TFText>RoundRobinTrim",
    "TFText>Utf8Binarize",
}

JIT_ATTRIBUTE = "_XlaMustCompile"
GRADIENT_ATTRIBUTE = "_gradient_op_type"
CUSTOM_GRADIENT = b"CustomGradient-"


def _holders(meta_graph):
    graph = meta_graph.graph_def
    yield "the main graph", None, graph.node
    for function in graph.library.function:
        yield f"the function {function.signature.name!r}", function.attr, function.node_def


def graph_ops(meta_graph):
    """List the ops that a graph and its functions hold.

    Args:
        meta_graph: protobuf message, a `MetaGraphDef`.

    Returns:
        A sorted list of strings, without calls of the graph's own functions.
    """
    own = {function.signature.name for function in meta_graph.graph_def.library.function}
    return sorted({node.op for _, _, nodes in _holders(meta_graph) for node in nodes} - own)


def servability_problems(meta_graph):
    """Find what a stock TensorFlow Serving lacks or stumbles over.

    Args:
        meta_graph: protobuf message, a `MetaGraphDef`.

    Returns:
        A list of strings, one a problem; empty where there is none.
    """
    lacking = (CORE_OPS_SINCE_2_19 | TEXT_OPS_SINCE_2_12).intersection(graph_ops(meta_graph))
    problems = [f"TensorFlow Serving 2.19 lacks the op {op!r}." for op in sorted(lacking)]
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
