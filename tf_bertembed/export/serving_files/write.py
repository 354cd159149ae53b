"""Configuration of TensorFlow Serving for the exported models of a folder."""

import re
from pathlib import Path

from tf_bertembed.common import (
    BertEmbedError,
    FileFormatError,
    MissingFileError,
    OutputExistsError,
    atomic_path,
    numbered_folders,
)

TEMPLATES = Path(__file__).parent / "templates"
# What stands in URLs, in protocol buffers and in YAML without being quoted.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

# The server's flags, with the folder of the configuration in place of {config}.
FLAGS = (
    "--port=8500",
    "--rest_api_port=8501",
    "--model_config_file={config}/models.config",
    "--model_config_file_poll_wait_seconds=60",
    "--allow_version_labels_for_unavailable_models=true",
    "--enable_model_warmup=true",
    "--enable_batching=true",
    "--batching_parameters_file={config}/batching_parameters.txt",
    "--monitoring_config_file={config}/monitoring.config",
    "--rest_api_timeout_in_ms=30000",
    "--tensorflow_intra_op_parallelism=2",
    "--tensorflow_inter_op_parallelism=2",
)
# Per file the folder of the configuration as the server sees it, and how deep flags are indented.
WITH_FLAGS = {"compose.yaml": ("/models", 6), "kubernetes.yaml": ("/config", 12)}


def served_models(folder):
    """List the exported models that lie in a folder, with their versions.

    Args:
        folder: string or `pathlib.Path`. The folder of all models, for example
            `saved_models`.

    Returns:
        A dict from the name of a model to the list of its versions, both in
        order.

    Raises:
        MissingFileError: where there is no such folder.
        FileFormatError: where no model lies in it.
        BertEmbedError: where the name of a model cannot stand in a URL.

    Example:

    ```python
    import tensorflow as tf
    from tf_bertembed.export import served_models

    module = tf.Module()
    module.serve = tf.function(
        lambda text: {"length": tf.strings.length(text)},
        input_signature=[tf.TensorSpec([None], tf.string, name="text")],
    )
    tf.saved_model.save(module, "saved_models/length/1", {"serving_default": module.serve})

    assert served_models("saved_models") == {"length": [1]}
    ```
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MissingFileError(folder, "A folder with exported models, NAME/VERSION, was expected.")
    found = {}
    for child in sorted(folder.iterdir()):
        versions = [
            number
            for number, place in numbered_folders(child).items()
            if (place / "saved_model.pb").is_file()
        ]
        if versions:
            found[child.name] = versions
    if not found:
        raise FileFormatError(
            folder,
            "No exported model, NAME/VERSION/saved_model.pb, lies in this folder. "
            "Make one with `export.export_saved_model`.",
        )
    for name in found:
        if not NAME.fullmatch(name):
            raise BertEmbedError(
                "The name of a model stands in URLs: letters, digits, '.', '_' and '-' are right. "
                f"Received: {name!r} in {folder}."
            )
    return found


def write_serving_files(folder, overwrite=False):
    """Write what TensorFlow Serving needs beside the exported models of a folder.

    The newest version of each model gets the label `canary`, the one before it
    `stable`; a single version gets `stable` alone, since servers move a label
    that is in use to loaded versions only. No other versions are served. The
    files are a beginning, to be edited: `models.config`,
    `batching_parameters.txt`, `monitoring.config`, `compose.yaml` for Docker,
    `kubernetes.yaml` and `kustomization.yaml`. `saved_models/README.md` says
    how each is used.

    Args:
        folder: string or `pathlib.Path`. The folder of all models, for example
            `saved_models`.
        overwrite: bool. Whether to replace files that are there.

    Returns:
        A list of `pathlib.Path`, the files.

    Raises:
        MissingFileError: where there is no such folder.
        FileFormatError: where no model lies in it.
        OutputExistsError: where one of the files exists and `overwrite` is
            False; then none is written.
        BertEmbedError: where the name of a model cannot stand in a URL.

    Example:

    ```python
    import tensorflow as tf
    from tf_bertembed.export import write_serving_files

    module = tf.Module()
    module.serve = tf.function(
        lambda text: {"length": tf.strings.length(text)},
        input_signature=[tf.TensorSpec([None], tf.string, name="text")],
    )
    tf.saved_model.save(module, "saved_models/length/1", {"serving_default": module.serve})

    files = {file.name: file for file in write_serving_files("saved_models")}
    assert 'base_path: "/models/length"' in files["models.config"].read_text()
    ```

    References:
        - Configuration: https://www.tensorflow.org/tfx/serving/serving_config
    """
    folder = Path(folder)
    models = served_models(folder)
    contents = {
        template.name: _filled(template, models) for template in sorted(TEMPLATES.iterdir())
    }
    remedy = "Pass `overwrite=True` to replace the serving files."
    for name in contents:
        if (folder / name).exists() and not overwrite:
            raise OutputExistsError(folder / name, remedy)
    for name, content in contents.items():
        with atomic_path(folder / name, overwrite=overwrite, remedy=remedy) as place:
            place.write_text(content, encoding="utf-8")
    return [folder / name for name in contents]


def _filled(template, models):
    text = template.read_text(encoding="utf-8")
    # Probes ask for one: the server opens its ports when all are there.
    text = text.replace("@model@", next(iter(models)))
    text = text.replace("@models@", "\n".join(_config(*model) for model in models.items()))
    if template.name in WITH_FLAGS:
        config, depth = WITH_FLAGS[template.name]
        flags = (f"{' ' * depth}- {flag.format(config=config)}" for flag in FLAGS)
        text = text.replace("@flags@", "\n".join(flags))
    return text


def _config(name, versions):
    served = versions[-2:]
    labels = dict(zip(("stable", "canary"), served, strict=False))
    return "\n".join(
        [
            "  config {",
            f'    name: "{name}"',
            f'    base_path: "/models/{name}"',
            '    model_platform: "tensorflow"',
            "    model_version_policy {",
            "      specific {",
            *(f"        versions: {version}" for version in served),
            "      }",
            "    }",
            *(
                f'    version_labels {{ key: "{label}" value: {version} }}'
                for label, version in labels.items()
            ),
            "  }",
        ]
    )
