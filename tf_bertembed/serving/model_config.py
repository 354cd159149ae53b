"""Which models a server holds, and which of their versions."""

import dataclasses
from pathlib import Path

from google.protobuf import text_format

from tf_bertembed.common import BertEmbedError, FileFormatError, require_file
from tf_bertembed.serving.errors import ServingError
from tf_bertembed.serving.requirements import require_packages

PLATFORM = "tensorflow"


@dataclasses.dataclass(frozen=True)
class VersionPolicy:
    """Which of the versions in a model's folder are served.

    Args:
        latest: int. How many of the highest numbers.
        specific: tuple of ints. These versions and no others; `None` for the
            latest.
        every: bool. Whether all that are there are served.
    """

    latest: int = 1
    specific: tuple | None = None
    every: bool = False

    def choose(self, numbers):
        """Pick the versions to serve.

        Args:
            numbers: collection of ints. The versions that are there.

        Returns:
            A list of ints, the highest first.
        """
        numbers = sorted(numbers, reverse=True)
        if self.every:
            return numbers
        if self.specific is not None:
            return [number for number in numbers if number in self.specific]
        return numbers[: self.latest]


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """One model of a server.

    Args:
        name: string. The name that requests call it by.
        base_path: string or `pathlib.Path`. The folder of its versions.
        labels: dict from strings to ints. Names for versions.
        version_policy: `VersionPolicy`.
    """

    name: str
    base_path: Path
    labels: dict = dataclasses.field(default_factory=dict)
    version_policy: VersionPolicy = VersionPolicy()

    def __post_init__(self):
        object.__setattr__(self, "base_path", Path(self.base_path))


def read_model_config(path):
    """Read a `models.config`, as TensorFlow Serving's `--model_config_file`.

    Args:
        path: string or `pathlib.Path`. A `ModelServerConfig` in protobuf's
            text format. A relative `base_path` counts from the file's folder.

    Returns:
        A list of `ModelConfig`.

    Raises:
        MissingFileError: where there is nothing at `path`.
        FileFormatError: where the file is no such message, or asks for what
            cannot be served.
        MissingPackageError: where the extra `serve` is not installed.
    """
    path = require_file(path, "A ModelServerConfig in protobuf's text format was expected.")
    require_packages()
    from tensorflow_serving.config import model_server_config_pb2

    message = model_server_config_pb2.ModelServerConfig()
    parse_text(path, message)
    try:
        return from_proto(message, path.parent)
    except ServingError as error:
        raise FileFormatError(path, str(error)) from error


def parse_text(path, message):
    """Fill a message from a file in protobuf's text format.

    Args:
        path: `pathlib.Path`. The file.
        message: protobuf message. What to fill.

    Raises:
        FileFormatError: where the file does not hold such a message, with
            the line.
    """
    try:
        text_format.Parse(path.read_text(encoding="utf-8"), message)
    except UnicodeDecodeError as error:
        raise FileFormatError(path, f"UTF-8 text was expected: {error}") from error
    except text_format.ParseError as error:
        name = message.DESCRIPTOR.name
        problem = f"A {name} in protobuf's text format was expected. Received: {error}"
        raise FileFormatError(path, problem, error.GetLine()) from error


def from_proto(message, root):
    """Turn a `ModelServerConfig` into models.

    Args:
        message: `ModelServerConfig`.
        root: `pathlib.Path`. What a relative `base_path` counts from.

    Returns:
        A list of `ModelConfig`.

    Raises:
        ServingError: INVALID_ARGUMENT, where a model has no name, no folder
            or another platform, or two have one name.
    """
    if message.WhichOneof("config") != "model_config_list":
        raise ServingError(
            "INVALID_ARGUMENT",
            "ServerModelConfig type not supported by HandleReloadConfigRequest. "
            "Only ModelConfigList is currently supported",
        )
    return check_models([_model(config, root) for config in message.model_config_list.config])


def check_models(models):
    """Refuse two models of one name.

    Args:
        models: list of `ModelConfig`.

    Returns:
        The list.

    Raises:
        ServingError: INVALID_ARGUMENT.
    """
    names = [model.name for model in models]
    for name in names:
        if names.count(name) > 1:
            raise ServingError(
                "INVALID_ARGUMENT", f"Illegal to list model {name} multiple times in config list"
            )
    return models


def _model(config, root):
    if not config.name or not config.base_path:
        raise ServingError(
            "INVALID_ARGUMENT",
            f"A model needs a `name` and a `base_path`. Received: {config.name!r} and "
            f"{config.base_path!r}.",
        )
    # 1 is ModelType.TENSORFLOW, which the field model_platform replaced.
    platform = config.model_platform or (PLATFORM if config.model_type == 1 else "")
    if not platform:
        raise ServingError(
            "INVALID_ARGUMENT",
            "Illegal setting neither ModelServerConfig::model_type nor "
            "ModelServerConfig::model_platform.",
        )
    if platform != PLATFORM:
        raise ServingError(
            "INVALID_ARGUMENT",
            f"Only models of the platform {PLATFORM!r} are served. Received: {platform!r}.",
        )
    return ModelConfig(
        config.name,
        root / config.base_path,
        dict(config.version_labels),
        _policy(config.model_version_policy),
    )


def _policy(message):
    kind = message.WhichOneof("policy_choice")
    if kind == "all":
        return VersionPolicy(every=True)
    if kind == "specific":
        return VersionPolicy(specific=tuple(message.specific.versions))
    if kind == "latest" and message.latest.num_versions:
        return VersionPolicy(latest=message.latest.num_versions)
    return VersionPolicy()


def model_of_folder(path):
    """Take a folder `NAME` of versions as a model of that name.

    Args:
        path: string or `pathlib.Path`. The folder, for example
            `saved_models/bbc`.

    Returns:
        A `ModelConfig`.

    Raises:
        BertEmbedError: where the folder has no name.
    """
    path = Path(path)
    name = path.resolve().name
    if not name:
        raise BertEmbedError(f"A folder with a name was expected, NAME/VERSION. Received: {path}.")
    return ModelConfig(name, path)
