"""Logs of a server as JSON, an object a line."""

import contextlib
import datetime
import json
import logging
import sys
import traceback

LOGGERS = ("tf_bertembed.serving", "uvicorn.error")


class JsonFormatter(logging.Formatter):
    """Writes a record, with what its `fields` hold, as one line of JSON.

    Args:
        log_texts: bool. Whether an exception is logged with its message, which
            may quote what a client sent; its type and frames are without it.
    """

    def __init__(self, log_texts=False):
        super().__init__()
        self._log_texts = log_texts

    def format(self, record):
        when = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        entry = {
            "time": when.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["exception"] = self._exception(record.exc_info)
        return json.dumps(entry, ensure_ascii=False, default=str)

    def _exception(self, exc_info):
        if self._log_texts:
            return self.formatException(exc_info)
        kind, _, frames = exc_info
        return "".join(traceback.format_tb(frames)) + kind.__qualname__


@contextlib.contextmanager
def logged_as_json(stream=None, log_texts=False):
    """Have the server's loggers write JSON; for a command, since it is for the whole process.

    Args:
        stream: file. Where to; `None` for stderr.
        log_texts: bool. Whether the messages of exceptions are written too.

    Yields:
        Nothing; afterwards the loggers are as they were.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(log_texts))
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [(logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.handlers[:] = [handler]
        logger.setLevel(logging.INFO)
        logger.propagate = False
    try:
        yield
    finally:
        for logger, (handlers, level, propagate) in zip(loggers, before, strict=True):
            logger.handlers[:], logger.propagate = handlers, propagate
            logger.setLevel(level)
