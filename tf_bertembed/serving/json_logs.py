"""Logs of a server as JSON, an object a line."""

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


def log_as_json(stream=None):
    """Have the server's loggers write JSON; for a command, since it is for the whole process.

    Args:
        stream: file. Where to; `None` for stderr.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(logging.INFO)
        logger.propagate = False
