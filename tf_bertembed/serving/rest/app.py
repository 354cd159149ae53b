"""The ASGI application: TensorFlow Serving's REST API, health, metrics and the page."""

import functools
import logging
import re
import time
import uuid

import anyio.to_thread
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.routing import Route

from tf_bertembed.serving import facts
from tf_bertembed.serving.errors import ServingError
from tf_bertembed.serving.page.routes import page_routes
from tf_bertembed.serving.rest.answers import Answers
from tf_bertembed.serving.rest.bodies import BodyReader
from tf_bertembed.serving.rest.json_answers import error_body
from tf_bertembed.serving.rest.limits import Limits, RefusedError
from tf_bertembed.serving.rest.paths import parse_target
from tf_bertembed.serving.rest.responses import JsonResponse, TextResponse

log = logging.getLogger("tf_bertembed.serving.access")

# What serves /metrics here, and where TensorFlow Serving has it by default.
METRICS_PATHS = ("/metrics", "/monitoring/prometheus/metrics")
_REQUEST_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)


def create_app(store, *, limits=None, metrics=None, observe=None, log_texts=False):
    """Make the ASGI application of a model store.

    It answers TensorFlow Serving's paths below `/v1/`; `/healthz` with 200
    once every model answers and with 503 before; metrics where there are any;
    and `/` with a page for people.

    Args:
        store: `ModelStore`. What answers; it is started and stopped by the
            caller.
        limits: `Limits`; `None` for the defaults.
        metrics: callable without arguments that gives Prometheus' text as
            bytes; `None` for no metrics.
        observe: callable, called with the verb, the model's name, the status
            and the seconds of each request of the API; `None` for nothing.
        log_texts: bool. Whether bodies are logged, cut after 1,000
            characters; without it no log holds what a client sent but paths.

    Returns:
        A `starlette.applications.Starlette`.
    """
    limits = limits or Limits()
    routes = [Route("/healthz", functools.partial(_health, store), methods=["GET"])]
    if metrics is not None:
        routes += [
            Route(path, functools.partial(_metrics, metrics), methods=["GET"])
            for path in METRICS_PATHS
        ]
    routes += page_routes(store)
    own = {route.path for route in routes}
    routes.append(Route("/{path:path}", RestApi(store, limits, observe, log_texts, own)))
    return Starlette(routes=routes)


class RestApi:
    """The ASGI application of the paths below `/v1/`.

    Args:
        store: `ModelStore`.
        limits: `Limits`.
        observe: callable; as for `create_app`.
        log_texts: bool. As for `create_app`.
        others: set of strings. The paths that are not this application's,
            where they are asked with a method that they do not have.
    """

    def __init__(self, store, limits, observe, log_texts, others):
        self._answers = Answers(store, limits)
        self._bodies = BodyReader(limits)
        self._threads = anyio.CapacityLimiter(limits.threads)
        self._observe = observe
        self._log_texts, self._others = log_texts, others

    async def __call__(self, scope, receive, send):
        request = Request(scope, receive)
        begun = time.perf_counter()
        with facts.collect() as known:
            facts.note(api="rest", method="malformed", request_id=_request_id(request))
            try:
                response = await self._respond(request)
            except ClientDisconnect:
                log.info("client went away", extra={"fields": known})
                return
            response.headers["x-request-id"] = known["request_id"]
            seconds, status = time.perf_counter() - begun, response.status_code
            if self._observe is not None:
                self._observe(known["method"], known.get("model", ""), status, seconds)
            milliseconds = round(seconds * 1000, 3)
            fields = {**known, "status": status, "milliseconds": milliseconds}
            log.info("request", extra={"fields": fields})
        await response(scope, receive, send)

    async def _respond(self, request):
        path = _path_as_sent(request.scope)
        if not path.lower().startswith("/v1/"):
            if request.url.path in self._others:
                allowed = {"allow": "GET, HEAD"}
                return _failure(405, f"Method Not Allowed: {request.method} {path}", allowed)
            return _failure(404, f"There is nothing at {path}.")
        try:
            target = parse_target(request.method, path)
            facts.note(method=target.verb)
            async with self._bodies.read(request) as body:
                if self._log_texts:
                    facts.note(body=bytes(body[:1000]).decode("utf-8", "replace"))
                answer = functools.partial(self._answers.answer, target, body)
                # Who asks how the models are does not wait behind predictions.
                limiter = self._threads if request.method == "POST" else None
                return JsonResponse(await anyio.to_thread.run_sync(answer, limiter=limiter))
        except ServingError as error:
            return _failure(error.http_status, error.message)
        except RefusedError as error:
            return _failure(error.status, error.message, error.headers)
        except ClientDisconnect:
            raise
        # Whatever else goes wrong, a client is told where to look and no more.
        except Exception:
            name = facts.current()["request_id"]
            log.exception("request failed", extra={"fields": dict(facts.current())})
            return _failure(500, f"Internal error; the server's log names it {name}.")


def _request_id(request):
    given = request.headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _path_as_sent(scope):
    path = scope.get("raw_path") or scope["path"].encode()
    query = scope.get("query_string")
    return (path + b"?" + query if query else path).decode("latin-1")


def _failure(status, message, headers=None):
    return JsonResponse(error_body(message), status, headers)


async def _health(store, request):
    ready = store.ready()
    return TextResponse("ok\n" if ready else "not ready\n", 200 if ready else 503)


async def _metrics(metrics, request):
    content = await anyio.to_thread.run_sync(metrics)
    return TextResponse(content, media_type="text/plain; version=0.0.4; charset=utf-8")
