"""What a fine-tuning that was killed leaves beside its output, to go on from."""

import hashlib
import json
import shutil
import warnings
from pathlib import Path

from tf_bertembed.common import make_folder

ABOUT = "training.json"


def digest(examples):
    """Tell rows from others."""
    columns = repr((examples.inputs, examples.targets))
    return hashlib.sha256(columns.encode("utf-8", "surrogatepass")).hexdigest()


class UnfinishedRun:
    """The folder `.NAME.unfinished` beside a RUN that is being made.

    What stands there is taken up by a training with the same data and settings, and thrown away
    by any other. A fault of the input leaves nothing; a training that was killed or interrupted
    leaves the folder.

    Args:
        output: string or `pathlib.Path`. The RUN.
        about: dict that JSON can hold. All that decides the training.
    """

    def __init__(self, output, about):
        output = Path(output)
        self.folder = output.parent / f".{output.name}.unfinished"
        self._about = json.dumps(about, sort_keys=True, default=str)

    def __enter__(self):
        path = self.folder / ABOUT
        if self.folder.exists() and not (path.exists() and path.read_text() == self._about):
            warnings.warn(
                f"{self.folder} is of a training with other data or settings, which was not "
                "finished; this one begins anew.",
                stacklevel=3,
            )
            shutil.rmtree(self.folder)
        make_folder(self.folder)
        path.write_text(self._about)
        return self

    def __exit__(self, kind, error, traceback):
        if kind is None or issubclass(kind, Exception):
            shutil.rmtree(self.folder)

    def place(self, name):
        """The folder of one of its fits."""
        return self.folder / name

    def finished(self, name):
        """What `finish` kept of a fit, or `None`."""
        path = self.folder / f"{name}.json"
        return json.loads(path.read_text()) if path.exists() else None

    def finish(self, name, metrics):
        """Keep the metrics of a fit that need not be done again, and not its state."""
        path = self.folder / f"{name}.json"
        fresh = path.with_suffix(".fresh")
        fresh.write_text(json.dumps(metrics))
        fresh.replace(path)
        shutil.rmtree(self.place(name), ignore_errors=True)
