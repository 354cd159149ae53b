"""What every method of the gRPC services does around its answer."""

import functools
import logging
import time
import uuid

import grpc

from tf_bertembed.serving import facts
from tf_bertembed.serving.errors import ServingError

log = logging.getLogger("tf_bertembed.serving.access")

# Clients refuse an answer whose details, percent-encoded, take more than 8 kB.
MOST_DETAILS = 800


def answered(name):
    """Turn errors into codes of gRPC, count the request and log it.

    For methods of a servicer with the attributes `statistics` and `log_texts`.

    Args:
        name: string. What the method is called in logs and metrics.

    Returns:
        A decorator.
    """

    def decorate(method):
        @functools.wraps(method)
        def answer(self, request, context):
            begun = time.perf_counter()
            with facts.collect() as known:
                response, code, message = _run(method, self, request, context)
                seconds = time.perf_counter() - begun
                self.statistics.request("grpc", name, code, seconds)
            if self.log_texts:
                known["body"] = str(request)[:1000]
            known |= {"status": code, "milliseconds": round(1000 * seconds, 3)}
            fields = {"api": "grpc", "method": name, "request_id": _request_id(context), **known}
            log.info("request", extra={"fields": fields})
            if code != "OK":
                context.abort(grpc.StatusCode[code], message[:MOST_DETAILS])
            return response

        return answer

    return decorate


def _run(method, servicer, request, context):
    try:
        return method(servicer, request, context), "OK", ""
    except ServingError as error:
        return None, error.code, error.message
    # Whatever it is, a client is told its kind and no more.
    except Exception as error:
        log.exception("a request failed", extra={"fields": {"method": method.__name__}})
        return None, "INTERNAL", f"{type(error).__name__} in the server; see its log."


def _request_id(context):
    # The client's own, where it sent one, so that logs of both can be joined.
    sent = dict(context.invocation_metadata() or ()).get("x-request-id")
    return sent[:64] if isinstance(sent, str) else uuid.uuid4().hex
