"""What a great many sentences cost, from what a worker was measured to do.

    core-hours = (workers * start + rows / rate) / 3600
    hours      = (start + rows / (rate * workers)) / 3600
    price      = core-hours * price of a core-hour
    output     = rows * dimensions * 4 bytes

`rate` is the rows a second of a core and `start` the seconds that a core takes to load everything,
both measured: the rate beside another worker on the same machine, as workers of a cluster have
them. Not in it: reading, shuffling and writing over a network, workers that are slower than others
or lost, and what a service asks for beside the cores.
"""

SIZES = (10**6, 10**8, 10**9)
HEADER = ("rows", "core-hours", "hours", "price", "output, GB")


def cost(rows, rate, start, workers, dimensions, price=None):
    """Reckon a job.

    Args:
        rows: int. How many texts there are.
        rate: float. Rows a second of a core.
        start: float. Seconds of a core until a worker is ready.
        workers: int. How many workers there are, each with one core.
        dimensions: int. The numbers in a vector.
        price: float. Of a core-hour; `None` where nobody said.

    Returns:
        A dict by the names in `HEADER`; the price is `None` where nobody said.
    """
    work = rows / rate
    core_hours = (workers * start + work) / 3600
    return {
        "rows": rows,
        "core-hours": core_hours,
        "hours": (start + work / workers) / 3600,
        "price": None if price is None else core_hours * price,
        "output, GB": rows * dimensions * 4 / 1e9,
    }


def table(costs):
    """The lines of a table of what `cost` gave."""
    shown = [name for name in HEADER if costs[0][name] is not None]
    lines = [shown, ["---:"] * len(shown)]
    lines += [
        [f"{one[n]:,.0f}" if n == "rows" else f"{one[n]:,.2f}" for n in shown] for one in costs
    ]
    return ["| " + " | ".join(line) + " |" for line in lines]
