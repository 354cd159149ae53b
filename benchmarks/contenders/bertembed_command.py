"""tf_bertembed as the command `tf-bertembed embed` runs it: its threads, its memory."""

from tf_bertembed.cli.native import start_tensorflow

PACKAGES = ["tensorflow", "tensorflow-text", "keras"]


def threads():
    from contenders import bertembed

    return bertembed.threads()


def embedder(checkpoint, longest=None, max_pieces=None, batch_size=32):
    # Before anything imports TensorFlow.
    streams = start_tensorflow(streams=True)
    from contenders import bertembed

    return bertembed.embedder(checkpoint, longest, max_pieces, streams, batch_size)
