"""Calls that end in time, and are made again where that is safe."""

import random
import time

from tf_bertembed.serving.errors import ServingError

# A prediction changes nothing, so it may be asked for twice; but only these
# faults may be gone the next time.
PASSING = "UNAVAILABLE"
LONGEST_PAUSE = 2.0


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
