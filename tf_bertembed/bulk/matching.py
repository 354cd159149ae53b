"""Files by patterns, on this machine's disks and on others."""

import glob
import os

from tf_bertembed.bulk.beam_package import BeamIOError, FileSystems
from tf_bertembed.common import BertEmbedError


def is_remote(path):
    """Whether a path names another file system, as `gs://…` does."""
    return "://" in path


def find_files(pattern):
    """Find the files of a pattern.

    Args:
        pattern: string. A file, or a pattern with `*`, `?`, `[…]` or `**`.

    Returns:
        A dict from paths, sorted, to when each was written last, as the file
        system tells it.

    Raises:
        BertEmbedError: where another file system cannot be reached, or needs
            a package that is not installed.
    """
    if is_remote(pattern):
        try:
            (found,) = FileSystems.match([pattern])
        except (ValueError, BeamIOError) as error:
            raise BertEmbedError(f"{pattern} cannot be looked for: {error}") from error
        times = {entry.path: entry.last_updated_in_seconds for entry in found.metadata_list}
        return dict(sorted(times.items()))
    # Not by Beam's LocalFileSystem, which walks through all folders below.
    paths = [pattern] if os.path.exists(pattern) else glob.glob(pattern, recursive=True)
    return {path: os.stat(path).st_mtime_ns for path in sorted(paths) if os.path.isfile(path)}


def find_shards(prefix):
    """Find the files that a pipeline wrote under a prefix.

    Args:
        prefix: string. As the writer was given it.

    Returns:
        As `find_files` does.
    """
    start = prefix if is_remote(prefix) else glob.escape(prefix)
    return find_files(f"{start}-[0-9]*-of-[0-9]*.*")


def find_unfinished(prefix):
    """Find the folders in which Beam's writers gather what is not done yet.

    Args:
        prefix: string. As the writer was given it.

    Returns:
        A set of paths; of this machine's disks only.
    """
    if is_remote(prefix):
        return set()
    folder, name = os.path.split(prefix)
    return set(glob.glob(os.path.join(glob.escape(folder), f"beam-temp-{glob.escape(name)}-*")))
