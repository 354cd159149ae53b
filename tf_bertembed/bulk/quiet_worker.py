"""Beam's worker process of this machine, which writes nothing but errors to stderr."""

import logging
import signal
import sys

# Before Beam makes a handler of its own, which writes all.
logging.basicConfig()
for handler in logging.getLogger().handlers:
    handler.setLevel(logging.ERROR)

if __name__ == "__main__":
    # A terminal sends Ctrl-C to all; the process that started this one ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from apache_beam.runners.worker import sdk_worker_main

    sdk_worker_main.main(sys.argv)
