"""A side's process: a line of JSON for each cell in, a line of JSON with its answers out."""

import json
import os
import sys


def serve(run):
    """Answer each line of standard input.

    Args:
        run: function from a request to the predictions for its test rows and the wall and CPU
            seconds of the training.
    """
    # Libraries print where they like; answers have a pipe that only this function knows.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        predictions, (seconds, cpu_seconds) = run(json.loads(line))
        answer = {"predictions": predictions, "seconds": seconds, "cpu_seconds": cpu_seconds}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
