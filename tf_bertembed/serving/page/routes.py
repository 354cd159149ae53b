"""What the page is made of, and what it asks the server for."""

import functools
from pathlib import Path

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tf_bertembed.export.signature_checks import PREDICT_METHOD
from tf_bertembed.serving.errors import ServingError

FOLDER = Path(__file__).parent
FILES = {
    "/": ("index.html", "text/html"),
    "/page/page.css": ("page.css", "text/css"),
    "/page/page.js": ("page.js", "text/javascript"),
    "/page/views.js": ("views.js", "text/javascript"),
}
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}


def page_routes(store):
    """Make the routes of the page.

    Args:
        store: `ModelStore`. What the page asks for its models.

    Returns:
        A list of `starlette.routing.Route`.
    """
    routes = [
        Route(path, functools.partial(_file, FOLDER / name, kind), methods=["GET"])
        for path, (name, kind) in FILES.items()
    ]
    routes.append(Route("/page/models", functools.partial(_models, store), methods=["GET"]))
    return routes


def describe_models(store):
    """Tell what the page can ask of the models.

    Args:
        store: `ModelStore`.

    Returns:
        A list of dicts: `name`, `version` and `signatures`, those that take
        nothing but texts, each with its `name`, and the names of its `inputs`
        and `outputs`. A model that does not answer now is left out.
    """
    described = []
    for name in store.names():
        try:
            with store.use(name) as model:
                signatures = [
                    {
                        "name": key,
                        "inputs": sorted(signature.inputs),
                        "outputs": sorted(signature.outputs),
                    }
                    for key, signature in sorted(model.signatures.items())
                    if _takes_texts(signature)
                ]
                described.append({"name": name, "version": model.version, "signatures": signatures})
        except ServingError as error:
            if error.code != "NOT_FOUND":
                raise
    return described


def _takes_texts(signature):
    return (
        signature.method_name == PREDICT_METHOD
        and bool(signature.inputs)
        and all(
            spec.dtype.name == "string" and (spec.shape is None or len(spec.shape) == 1)
            for spec in signature.inputs.values()
        )
    )


async def _file(path, kind, request):
    # Read each time: small files, and an installation may be replaced while it serves.
    return Response(path.read_bytes(), headers=HEADERS, media_type=f"{kind}; charset=utf-8")


async def _models(store, request):
    return JSONResponse({"models": describe_models(store)}, headers=HEADERS)
