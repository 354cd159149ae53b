"""What `tf-bertembed serve` is made of."""

from tf_bertembed.common import BertEmbedError
from tf_bertembed.serving.model_config import check_models, model_of_folder, read_model_config
from tf_bertembed.serving.requirements import require_packages


def models_to_serve(folders, config=None):
    """Find out which models a command line asks for.

    Args:
        folders: list of `pathlib.Path`. Folders of versions.
        config: `pathlib.Path`. A `models.config` instead; `None` for none.

    Returns:
        A list of `ModelConfig`.

    Raises:
        BertEmbedError: where neither or both are given, or a folder is no
            model's.
        MissingPackageError: where the extra is not installed.
    """
    require_packages()
    if bool(folders) == (config is not None):
        given = "both" if folders else "neither"
        raise BertEmbedError(
            f"Folders of models or --config are expected, one of the two. Received: {given}."
        )
    if config is not None:
        return read_model_config(config)
    for folder in folders:
        if folder.exists() and not folder.is_dir():
            raise BertEmbedError(
                f"A folder of a model's versions was expected. Received: the file {folder}."
            )
        if (folder / "saved_model.pb").is_file():
            raise BertEmbedError(
                f"{folder} is one version of a model; the folder above it is expected, "
                f"{folder.resolve().parent}."
            )
    return check_models([model_of_folder(folder) for folder in folders])


def make_server(models, batching_parameters=None, poll_seconds=1.0, **settings):
    """Make the server of a command line.

    Args:
        models: list of `ModelConfig`.
        batching_parameters: `pathlib.Path`. A `batching_parameters.txt`;
            `None` for the defaults.
        poll_seconds: float. As for `ModelStore`.
        **settings: as for `Server`.

    Returns:
        A `Server`.

    Raises:
        BertEmbedError: where both APIs are to listen at one port.
        FileFormatError: where the file does not hold what it should.
    """
    rest_port = settings.get("rest_port")
    if rest_port and rest_port == settings.get("grpc_port"):
        raise BertEmbedError(f"REST and gRPC need a port each. Received: {rest_port} for both.")
    from tf_bertembed.serving.batching_parameters import read_batching_parameters
    from tf_bertembed.serving.model_store import ModelStore
    from tf_bertembed.serving.server import Server

    batching = read_batching_parameters(batching_parameters) if batching_parameters else None
    return Server(ModelStore(models, poll_seconds, batching), **settings)
