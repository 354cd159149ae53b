"""What the command line offers is what the functions behind it take."""

import inspect
import typing

import pytest

from tf_bertembed.cli import transfer
from tf_bertembed.cli.vectors import evaluate, info, train
from tf_bertembed.cli.vectors.options import Format
from tf_bertembed.training import word_vectors
from tf_bertembed.vectors.alignment.alignment import COMPOSITIONS
from tf_bertembed.vectors.evaluation import word_map
from tf_bertembed.vectors.files.saving import WRITERS
from tf_bertembed.vectors.mixing import matching, methods


def choices(annotated):
    """The strings among which a parameter is chosen."""
    kinds = [typing.get_args(annotated)[0]]
    kinds += typing.get_args(kinds[0])
    (found,) = [typing.get_args(k) for k in kinds if typing.get_origin(k) is typing.Literal]
    return set(found)


def of(command, name):
    return choices(inspect.signature(command).parameters[name].annotation)


@pytest.mark.parametrize(
    ("offered", "taken"),
    [
        (choices(Format), WRITERS),
        (of(info, "compose"), COMPOSITIONS),
        (of(evaluate, "method"), word_map.METHODS),
        (of(train, "algorithm"), word_vectors.ALGORITHMS),
        (of(transfer.transfer, "method"), methods.METHODS),
        (of(transfer.transfer, "copying"), matching.COPYING),
    ],
)
def test_choices(offered, taken):
    assert offered == set(taken)
