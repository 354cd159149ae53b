"""Calls that end in time, and are made again where that is safe."""

import contextlib
import random
import time

from tf_bertembed.serving.errors import ServingError

# A prediction changes nothing, so it may be asked for twice; but only these
# faults may be gone the next time.
PASSING = "UNAVAILABLE"
LONGEST_PAUSE = 2.0


class UnexpectedAnswerError(ServingError):
    """An answer that is not what its API, or the model's signature, says.

    Args:
        expected: string. What the answer should hold.
        received: what it holds.
    """

    def __init__(self, expected, received):
        shown = repr(received)
        shown = shown if len(shown) <= 200 else f"{shown[:200]}…"
        super().__init__(
            "INTERNAL", f"The answer of the server should hold {expected}. Received: {shown}."
        )


@contextlib.contextmanager
def understood(expected, received):
    """Read an answer in a block, which need not look at it first.

    Args:
        expected: string. What the answer should hold.
        received: what it holds.

    Raises:
        UnexpectedAnswerError: where the block fails for what it finds.
    """
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise UnexpectedAnswerError(expected, received) from error


def check_names(outputs, received):
    """Check that an answer has the outputs that its signature names.

    Args:
        outputs: dict from names to specs, as `Client.metadata` gives it.
        received: iterable of strings. The outputs of the answer.

    Raises:
        UnexpectedAnswerError: where they are others.
    """
    if set(outputs) != set(received):
        names = ", ".join(sorted(outputs))
        raise UnexpectedAnswerError(f"the outputs {names}", sorted(received))


class Deadline:
    """The time that is left for a call.

    Args:
        seconds: float. From now.
    """

    def __init__(self, seconds):
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self):
        """The seconds that are left.

        Raises:
            ServingError: DEADLINE_EXCEEDED, where there are none.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.over()
        return left

    def over(self):
        """The error of a call that took too long."""
        return ServingError("DEADLINE_EXCEEDED", f"No answer within {self._seconds:g} seconds.")


def call_again(function, timeout, retries, first_pause):
    """Call until it succeeds, fails for good, or has failed too often.

    The pauses between grow from `first_pause` twofold, each by chance
    somewhere up to that, so that clients do not come back together.

    Args:
        function: callable with a `Deadline`.
        timeout: float. The most seconds for all calls together.
        retries: int. How many times it is called again.
        first_pause: float. Seconds.

    Returns:
        What `function` returns.

    Raises:
        ServingError: of the last call.
    """
    deadline = Deadline(timeout)
    for number in range(retries + 1):
        try:
            return function(deadline)
        except ServingError as error:
            pause = random.uniform(0, min(LONGEST_PAUSE, first_pause * 2**number))
            if error.code != PASSING or number == retries or pause >= deadline.left():
                raise
            time.sleep(pause)
