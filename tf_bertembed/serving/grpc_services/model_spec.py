"""Which model a request of gRPC is about."""

from tf_bertembed.serving.errors import ServingError
from tf_bertembed.serving.loaded_model import DEFAULT_SIGNATURE


def require_spec(request):
    """Take the `ModelSpec` of a request.

    Args:
        request: protobuf message.

    Returns:
        A `ModelSpec`.

    Raises:
        ServingError: INVALID_ARGUMENT where there is none.
    """
    if not request.HasField("model_spec"):
        raise ServingError("INVALID_ARGUMENT", "Missing ModelSpec")
    return request.model_spec


def choice(spec):
    """Turn a `ModelSpec` into arguments of `ModelStore.use`.

    Args:
        spec: `ModelSpec`.

    Returns:
        A dict.

    Raises:
        ServingError: INVALID_ARGUMENT where it names no model.
    """
    if not spec.name:
        raise ServingError("INVALID_ARGUMENT", "ModelSpec has no name specified.")
    return version_choice(spec)


def version_choice(spec):
    """Turn a `ModelSpec` into arguments of `ModelStore.statuses`.

    Args:
        spec: `ModelSpec`.

    Returns:
        A dict.
    """
    kind = spec.WhichOneof("version_choice")
    version = spec.version.value if kind == "version" else None
    label = spec.version_label if kind == "version_label" else None
    return {"name": spec.name, "version": version, "label": label}


def fill_spec(answer, spec, version):
    """Say in an answer which model, version and signature gave it.

    Args:
        answer: `ModelSpec`. What is filled.
        spec: `ModelSpec`. What was asked for.
        version: int.
    """
    answer.name = spec.name
    answer.signature_name = spec.signature_name or DEFAULT_SIGNATURE
    answer.version.value = version
