"""Models whose files are damaged, told in one way whichever library reads them."""

import contextlib

from tf_bertembed.common.errors import BertEmbedError, FileFormatError

# What Keras, h5py and TensorFlow raise where files are missing, cut short or of another model.
BROKEN = (LookupError, OSError, TypeError, ValueError)


@contextlib.contextmanager
def telling_damage(path, what="model", more=()):
    """Turn what a library raises while it loads a model into an error that names the folder.

    Args:
        path: string or `pathlib.Path`. The folder.
        what: string. What it should hold.
        more: tuple of exceptions that this library raises besides.

    Raises:
        FileFormatError: where the body raised one of them.
    """
    try:
        yield
    except BertEmbedError:
        raise
    except (*BROKEN, *more) as error:
        told = " ".join(str(error).split())
        raise FileFormatError(path, f"The {what} cannot be loaded: {told:.300}") from error
