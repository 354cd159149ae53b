"""Where an exported model lies, on this machine's disks and on others."""

import os

from tf_bertembed.common import numbered_names

GRAPH = "saved_model.pb"


def newest_version(path):
    """Find an exported model: the folder itself, or its highest complete version.

    A path with `://` in it is read as TensorFlow reads it (`tf.io.gfile`), any
    other without TensorFlow, which takes seconds to load.

    Args:
        path: string or `pathlib.Path`. `NAME/VERSION`, or `NAME`.

    Returns:
        A string, the folder; `None` where there is no exported model.
    """
    path = str(path)
    names = folder_names(path) or set()
    if GRAPH in names:
        return path
    versions = [os.path.join(path, name) for name in numbered_names(names).values()]
    return next((one for one in reversed(versions) if GRAPH in (folder_names(one) or ())), None)


def folder_names(folder):
    """The names in a folder, a set of strings; `None` where there is no such folder."""
    if "://" in folder:
        files = remote_files()
        if not files.isdir(folder):
            return None
        return {name.rstrip("/") for name in files.listdir(folder)}
    return set(os.listdir(folder)) if os.path.isdir(folder) else None


def remote_files():
    """TensorFlow's files, which lie on any file system that it knows."""
    import tensorflow as tf

    return tf.io.gfile
