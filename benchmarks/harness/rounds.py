"""Turns, and what the seconds of the rounds say."""

import dataclasses
import statistics


@dataclasses.dataclass(frozen=True)
class Goal:
    """`contender` is to be at least `times` as good as `than`: as fast, or as small.

    `times` is `None` where the ratio is only to be reported.
    """

    contender: str
    times: float | None
    than: str
    measure: str = "seconds"


def order(names, number):
    """The order of one round: each round begins with another, so none always follows the same."""
    place = number % len(names)
    turned = names[place:] + names[:place]
    return turned[::-1] if (number // len(names)) % 2 else turned


def ratios(base, values):
    """How many times the base's value each of another's is below it, round by round."""
    return [a / b for a, b in zip(base, values, strict=True)]


def summary(values):
    """Median, quartiles and range."""
    low, _, high = (
        statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    )
    return {
        "median": statistics.median(values),
        "lower_quartile": low,
        "upper_quartile": high,
        "min": min(values),
        "max": max(values),
    }


def judge(goals, measured):
    """What came of each goal whose two contenders ran.

    Args:
        goals: list of `Goal`.
        measured: dict of contender names to dicts of measures to lists, one value a round.
    """
    results = []
    for goal in goals:
        if goal.contender in measured and goal.than in measured:
            base, values = (measured[n][goal.measure] for n in (goal.than, goal.contender))
            found = summary(ratios(base, values))
            met = None if goal.times is None else found["median"] >= goal.times
            results.append({**dataclasses.asdict(goal), **found, "met": met})
    return results
