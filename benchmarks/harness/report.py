"""Tables and plots of results."""

MEASURES = {  # name: (heading, format) of what some workloads measure beside seconds
    "p95": ("95th percentile, s", "{:.4g}"),
    "padding": ("padding computed", "{:.1%}"),
    "rate": ("texts/s", "{:.0f}"),
    "load": ("loading alone, s", "{:.4g}"),
    "cpu_seconds": ("CPU s a turn", "{:.4g}"),
}


def _median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _rows(result):
    extra = [m for m in MEASURES if any(m in c["measured"] for c in result["contenders"].values())]
    cosine = any("cosine" in contender for contender in result["contenders"].values())
    yield [
        "contender",
        f"times {result['base']}",
        "quartiles",
        "range",
        "seconds",
        *(MEASURES[measure][0] for measure in extra),
        "peak MB",
        "of it, work",
        *(["cosine"] if cosine else []),
    ]
    for name, contender in result["contenders"].items():
        ratio = contender["ratio"]
        yield [
            name,
            f"{ratio['median']:.2f}",
            f"{ratio['lower_quartile']:.2f} to {ratio['upper_quartile']:.2f}",
            f"{ratio['min']:.2f} to {ratio['max']:.2f}",
            f"{contender['seconds']['median']:.4g}",
            *(_extra(contender, measure) for measure in extra),
            f"{contender['peak_mb']:.0f}",
            f"{contender['work_mb']:.0f}",
            *([f"{contender['cosine']:.6f}" if "cosine" in contender else ""] if cosine else []),
        ]


def _extra(contender, measure):
    values = contender["measured"].get(measure)
    return MEASURES[measure][1].format(_median(values)) if values else ""


def table(rows, text_columns=1):
    """Lay rows out as a Markdown table, the first row as its heading."""
    rows = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for number, row in enumerate(rows):
        cells = [
            cell.ljust(width) if place < text_columns else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("| " + " | ".join(cells) + " |")
        if not number:
            rules = [
                "-" * width if place < text_columns else "-" * (width - 1) + ":"
                for place, width in enumerate(widths)
            ]
            lines.append("| " + " | ".join(rules) + " |")
    return "\n".join(lines)


def markdown(result):
    """Write a result as Markdown: workload, table, goals, versions."""
    machine = result["machine"]
    notes = "; ".join(f"{key} {value}" for key, value in result["notes"].items())
    variables = " ".join(f"{name}={value}" for name, value in result["variables"].items())
    parts = [
        f"## {result['benchmark']}",
        result["question"],
        f"{notes}. Median of {result['rounds']} rounds in turns; a ratio above 1 is faster than "
        f"{result['base']}, formed in each round.",
        table(_rows(result)),
    ]
    if result["goals"]:
        parts.append(table(_goals(result), text_columns=2))
    parts.append(
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB, "
        f"{machine['system']}; load {machine['load_before']} before, {machine['load_after']} "
        f"after. Environment variables set for all: {variables or 'none'}."
    )
    lines = []
    for name, contender in result["contenders"].items():
        threads = ", ".join(f"{key} {value}" for key, value in contender["threads"].items())
        packages = ", ".join(f"{key} {value}" for key, value in contender["versions"].items())
        lines.append(f"- {name}: {packages}; threads: {threads or 'as it comes'}")
    parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _goals(result):
    yield ["goal", "against", "at least", "found", "quartiles", "met"]
    for goal in result["goals"]:
        measure = "" if goal["measure"] == "seconds" else f" ({goal['measure']})"
        yield [
            goal["contender"],
            goal["than"] + measure,
            "" if goal["times"] is None else f"{goal['times']:.2f}",
            f"{goal['median']:.2f}",
            f"{goal['lower_quartile']:.2f} to {goal['upper_quartile']:.2f}",
            {True: "yes", False: "no", None: ""}[goal["met"]],
        ]


def plot(results, path):
    """Draw the ratios of each result: median as a bar, quartiles as a line, rounds as dots."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    heights = [0.9 + 0.42 * len(result["contenders"]) for result in results]
    figure, every = pyplot.subplots(
        len(results),
        squeeze=False,
        figsize=(8, sum(heights)),
        height_ratios=heights,
        layout="constrained",
    )
    for axes, result in zip(every[:, 0], results, strict=True):
        base = result["contenders"][result["base"]]["measured"]["seconds"]
        for place, (name, contender) in enumerate(result["contenders"].items()):
            ratio, ours = contender["ratio"], "tf_bertembed" in name
            axes.barh(place, ratio["median"], color="tab:blue" if ours else "lightgrey")
            axes.hlines(place, ratio["lower_quartile"], ratio["upper_quartile"], color="black")
            times = [a / b for a, b in zip(base, contender["measured"]["seconds"], strict=True)]
            axes.plot(times, [place] * len(times), ".", color="black", markersize=3, alpha=0.5)
        axes.set_yticks(range(len(result["contenders"])), list(result["contenders"]))
        axes.invert_yaxis()
        axes.axvline(1, color="black", linewidth=0.5)
        axes.set_title(f"{result['benchmark']}: times {result['base']}", fontsize=10)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
