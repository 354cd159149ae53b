"""What a worker has to know to load and run an exported model."""

import dataclasses

from tf_bertembed.common import check_at_least, check_limits

MAX_TEXT_BYTES = 1_000_000


@dataclasses.dataclass(frozen=True)
class ModelSettings:
    """How a worker loads and runs a model; travels to the workers.

    Args:
        path: string. The folder of the model, which every worker sees.
        max_pieces: int. About the most pieces in a batch, reckoned from bytes;
            `None` for 1024.
        streams: int. The batches that run at a time in a worker process.
        threads: int. TensorFlow's threads for one batch, for the whole process;
            `None` to leave them as they are.
        max_text_bytes: int. The most bytes of a text in UTF-8.

    Raises:
        BertEmbedError: where a number is below 1.
    """

    path: str
    max_pieces: int | None = None
    streams: int = 1
    threads: int | None = None
    max_text_bytes: int = MAX_TEXT_BYTES

    def __post_init__(self):
        object.__setattr__(self, "path", str(self.path))
        check_at_least(1, streams=self.streams, max_text_bytes=self.max_text_bytes)
        check_limits(max_pieces=self.max_pieces, threads=self.threads)
