"""Kills itself at every step of `embed_file` that changes the disk, and goes on; run by a test.

    python killed.py MODEL INPUT CACHE ID_COLUMN OUTPUT…

In the folder where it runs. Each kill is a SIGKILL to a process of its own, forked from this one,
which has loaded all that is needed. Prints for each output how many kills there were.
"""

import os
import signal
import sys
from pathlib import Path

from tf_bertembed import probe
from tf_bertembed.common import OutputExistsError
from tf_bertembed.probe.file_embedding import embedding

STEPS = ("fsync", "link", "open", "replace", "rmdir", "truncate", "unlink")


def die_at(step):
    """Have this process killed when it begins its step of that number."""
    left = [step]

    def counted(function):
        def call(*arguments, **more):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **more)

        return call

    for name in STEPS:
        setattr(os, name, counted(getattr(os, name)))


def survives(run, step):
    """Run in a process that is killed at a step; answer whether it had ended before."""
    child = os.fork()
    if child == 0:
        die_at(step)
        run()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return False
    if status:
        sys.exit(f"killed at step {step}: ended with {status}")
    return True


def files(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.is_file()}


def kill_at_every_step(run, output):
    """Answer how many steps there were; fail where one of them ends in other files."""
    os.mkdir("whole")
    run(Path("whole") / output)
    expected = files("whole")
    step = 0
    done = False
    while not done:
        step += 1
        folder = Path(f"{step}")
        folder.mkdir()
        done = survives(lambda place=folder / output: run(place), step)
        if not done:
            try:
                run(folder / output)
            except OutputExistsError:
                # The files were in their places, and only the folder was left to be removed.
                assert (folder / output).exists(), step
        found = files(folder)
        assert found == expected, (step, sorted(found), sorted(expected))
        assert not [entry.name for entry in folder.iterdir() if entry.is_dir()], step
    return step - 1


def main():
    model, path, cache, id_column, *outputs = sys.argv[1:]
    embedding.WINDOW = 4

    def run(output):
        probe.embed_file(model, path, output, id_column=id_column, cache=cache)

    top = Path.cwd()
    for output in outputs:
        (top / f"of-{output}").mkdir()
        os.chdir(top / f"of-{output}")
        print(output, kill_at_every_step(run, output))


if __name__ == "__main__":
    main()
