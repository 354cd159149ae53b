"""The paths of TensorFlow Serving's REST API.

Reference: tensorflow_serving/model_servers/http_rest_api_util.cc.
"""

import dataclasses
import re
import urllib.parse

from tf_bertembed.serving.rest.json_values import invalid

_SPEC = r"(?:(?:/versions/(?P<version>\d+))|(?:/labels/(?P<label>[^/:]+)))?"
_POST = re.compile(
    rf"/v1/models/(?P<name>[^/:]+){_SPEC}:(?P<verb>classify|regress|predict)",
    re.IGNORECASE | re.ASCII,
)
_GET = re.compile(
    rf"/v1/models(?:/(?P<name>[^/:]+))?{_SPEC}(?:/(?P<verb>metadata))?",
    re.IGNORECASE | re.ASCII,
)
_VERBS = {"POST": ("classify", "regress", "predict"), "GET": (None, "metadata")}


@dataclasses.dataclass(frozen=True)
class Target:
    """What a request is about.

    Args:
        verb: string. `"classify"`, `"regress"`, `"predict"`, `"metadata"`
            or `"status"`.
        name: string. The model.
        version: int. Its version, where one is named.
        label: string. The label of a version, where one is named.
    """

    verb: str
    name: str
    version: int | None = None
    label: str | None = None

    @property
    def choice(self):
        """dict. The version as the arguments of `ModelStore.use`."""
        return {"name": self.name, "version": self.version, "label": self.label}


def parse_target(method, path):
    """Read a path, as TensorFlow Serving does: with its query, case ignored in part.

    Args:
        method: string. The method of the request.
        path: string. The path and query, as sent.

    Returns:
        A `Target`.

    Raises:
        ServingError: INVALID_ARGUMENT, where the path is none of the API.
    """
    pattern = {"POST": _POST, "GET": _GET}.get(method)
    found = pattern.fullmatch(path) if pattern else None
    # Case is ignored by the pattern alone, there as here.
    if found is None or found["verb"] not in _VERBS[method]:
        raise invalid(f"Malformed request: {method} {path}")
    if found["name"] is None:
        raise invalid("Missing model name in request.")
    version = None
    if found["version"]:
        digits = found["version"].lstrip("0") or "0"
        version = int(digits) if len(digits) < 20 else 2**63
        if version >= 2**63:
            raise invalid(f"Failed to convert version: {found['version']} to numeric.")
    label = urllib.parse.unquote(found["label"]) if found["label"] else None
    name = urllib.parse.unquote(found["name"])
    return Target(found["verb"] or "status", name, version, label)
