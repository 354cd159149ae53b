"""Logs of a server as JSON, an object a line."""

import contextlib
import datetime
import json
import logging
import sys

LOGGERS = ("tf_bertembed.serving", "uvicorn.error")


class JsonFormatter(logging.Formatter):
    """Writes a record, with what its `fields` hold, as one line of JSON."""

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
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False, default=str)


@contextlib.contextmanager
def logged_as_json(stream=None):
    """Have the server's loggers write JSON; for a command, since it is for the whole process.

    Args:
        stream: file. Where to; `None` for stderr.

    Yields:
        Nothing; afterwards the loggers are as they were.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
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
