"""How large answers may be, and how many are written at a time."""

import contextlib
import threading

from tf_bertembed.serving.errors import ServingError

# What is written is many times as large as the arrays that it is made of.
AT_A_TIME = 4


class AnswerWriting:
    """Refuses what is too much to write, and has few answers written at a time.

    Args:
        most: int. The most values of an answer.
        code: string. The code of the error, where there are more.
    """

    def __init__(self, most, code="RESOURCE_EXHAUSTED"):
        self._most, self._code = most, code
        self._places = threading.Semaphore(AT_A_TIME)

    @contextlib.contextmanager
    def of(self, outputs):
        """Write an answer in a block.

        Args:
            outputs: iterable of arrays; `None` counts as nothing.

        Raises:
            ServingError: where they hold too many values.
        """
        values = sum(array.size for array in outputs if array is not None)
        if values > self._most:
            raise ServingError(
                self._code,
                f"The answer holds {values} values; this server writes at most {self._most}. Send "
                "fewer rows at a time, and texts of about the same length together.",
            )
        with self._places:
            yield
