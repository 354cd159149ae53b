"""Contenders in processes of their own, taking turns, compared round by round."""

from harness.contenders import Contender
from harness.rounds import Goal, ratios, summary
from harness.session import Benchmark

__all__ = ["Benchmark", "Contender", "Goal", "ratios", "summary"]
