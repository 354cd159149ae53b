"""Places that outputs take: written beside, and there all or not at all."""

import contextlib
import errno
import os
import shutil
import tempfile
from pathlib import Path

from tf_bertembed.common.errors import BertEmbedError, OutputExistsError

# A server's versions are of 64 bits: TensorFlow Serving passes over folders with larger numbers.
LARGEST_NUMBER = 2**63 - 1


def _discard(path):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_path(path, overwrite=False, remedy="Choose another place or remove it first."):
    """Write a file or folder beside its place and rename it when complete.

    The body writes to the path that it is given: a file, or a folder that it
    makes there. Where the body raises, what it wrote is removed and what stood
    at `path` is untouched.

    Args:
        path: string or `pathlib.Path`. The final place.
        overwrite: bool. Whether to replace what stands there.
        remedy: string. What the error for an existing place tells to do.

    Yields:
        The `pathlib.Path` to write to, on the same file system.

    Raises:
        OutputExistsError: where something stands at `path` and `overwrite`
            is False.
        BertEmbedError: where `path` has no name of its own, as `.` and `..`
            have none, or a file stands in the way.

    Example:

    ```python
    from tf_bertembed import common

    with common.atomic_path("metrics.json") as place:
        place.write_text('{"loss": 0.5}')
    assert open("metrics.json").read() == '{"loss": 0.5}'
    ```
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise OutputExistsError(path, remedy)
    if path.name in ("", ".."):
        raise BertEmbedError(
            f"{path} cannot be replaced: the name of a file or folder was expected at its end."
        )
    make_folder(path.parent)
    holder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        fresh = holder / path.name
        yield fresh
        if not overwrite:
            _place_new(fresh, path, remedy)
        elif os.path.lexists(path) and (fresh.is_dir() or path.is_dir()):
            # Only a file takes a file's place in one step: set the old one aside.
            aside = Path(tempfile.mkdtemp(dir=holder)) / "replaced"
            os.rename(path, aside)
            try:
                os.rename(fresh, path)
            except BaseException:
                os.rename(aside, path)
                raise
        else:
            os.replace(fresh, path)
    finally:
        _discard(holder)


def _place_new(fresh, path, remedy):
    # What appeared at the place since it was found free belongs to someone else.
    # Neither of these calls replaces it, as renaming a file would.
    try:
        if fresh.is_dir():
            os.rename(fresh, path)
        else:
            os.link(fresh, path)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            raise OutputExistsError(path, remedy) from error
        raise


def make_folder(path):
    """Make a folder, and those above it, where they are not there yet.

    Args:
        path: string or `pathlib.Path`. The folder.

    Returns:
        The path as `pathlib.Path`.

    Raises:
        BertEmbedError: where a file stands in the way (the message names it).

    Example:

    ```python
    from tf_bertembed import common

    assert common.make_folder("runs/first").is_dir()
    ```
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        blocking = next(place for place in (path, *path.parents) if place.exists())
        raise BertEmbedError(
            f"{blocking} is a file; a folder was expected to make {path}."
        ) from error
    return path


def numbered_folders(folder):
    """List what a folder holds under whole numbers, as versions and runs are.

    Numbers that 64 bits do not hold are passed over, as servers do.

    Args:
        folder: string or `pathlib.Path`. The folder; it may be missing.

    Returns:
        A dict from int to `pathlib.Path`, in the order of the numbers.

    Example:

    ```python
    from tf_bertembed import common

    for name in ("10", "2", "notes"):
        common.make_folder(f"runs/{name}")
    assert list(common.numbered_folders("runs")) == [2, 10]
    ```
    """
    folder = Path(folder)
    names = os.listdir(folder) if folder.is_dir() else ()
    return {number: folder / name for number, name in numbered_names(names).items()}


def numbered_names(names):
    """Choose the names that are whole numbers, as `numbered_folders` does.

    Args:
        names: iterable of strings.

    Returns:
        A dict from int to string, in the order of the numbers.

    Example:

    ```python
    from tf_bertembed import common

    assert common.numbered_names({"10", "2", "notes"}) == {2: "2", 10: "10"}
    ```
    """
    # isdigit alone lets through digits that int does not take, such as "²".
    numbered = {int(name): name for name in names if name.isascii() and name.isdigit()}
    return {n: name for n, name in sorted(numbered.items()) if n <= LARGEST_NUMBER}
