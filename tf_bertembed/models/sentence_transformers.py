"""What a sentence-transformers folder says beside its BERT."""

import dataclasses
import json
from pathlib import Path

from tf_bertembed.common import FileFormatError, read_json
from tf_bertembed.models.huggingface_tokenizer import longest_text
from tf_bertembed.models.names import find_checkpoint

MODULES = "modules.json"

# Before version 6 each way of pooling had a switch of its own; the order is theirs.
_SWITCHES = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
_POOLINGS = ("mean", "max", "cls")


@dataclasses.dataclass(frozen=True)
class SentenceSettings:
    """How a sentence-transformers folder makes one vector of a text.

    Args:
        folder: `pathlib.Path`. Where the Hugging Face BERT is: the folder
            itself or, in old ones, a folder in it.
        pooling: string. `"mean"`, `"max"` or `"cls"`; see
            `layers.MaskedPooling`.
        normalize: bool. Whether vectors are brought to length 1.
        sequence_length: int. The most pieces of a text, special tokens
            included; what is longer is cut.
        lowercase: bool. Whether texts are lower-cased before the tokenizer
            sees them, whatever the tokenizer does itself.
        prompt: string. What is put before each text; mostly empty.

    Example:

    ```python
    from tf_bertembed import models

    name = models.find_checkpoint("all-minilm-l6-v2")
    settings = models.read_sentence_transformers(name)
    assert isinstance(settings, models.SentenceSettings)
    assert (settings.pooling, settings.normalize) == ("mean", True)
    assert settings.sequence_length == 256
    ```
    """

    folder: Path
    pooling: str
    normalize: bool
    sequence_length: int
    lowercase: bool = False
    prompt: str = ""


def _optional(path):
    return read_json(path) if path.exists() else {}


def _modules(path):
    # A list, where every other file of these folders is an object.
    listed = read_json(path, kind=list)
    found = []
    for module in listed:
        kind = module.get("type") if isinstance(module, dict) else None
        place = module.get("path", "") if isinstance(kind, str) else None
        if not isinstance(place, str) or Path(place).is_absolute() or ".." in Path(place).parts:
            raise FileFormatError(
                path,
                "Each module must have a `type`, and a `path` within the folder. Received: "
                f"{module!r:.200}.",
            )
        found.append((kind.rsplit(".", 1)[-1], path.parent / place))
    kinds = [kind for kind, _ in found]
    if kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        raise FileFormatError(
            path,
            "The modules must be Transformer, Pooling and, if any more, Normalize. Received: "
            f"{', '.join(kinds) or 'none'}.",
        )
    return found


def _expect(path, config, key, value):
    if config.get(key, value) != value:
        raise FileFormatError(path, f"`{key}` must be {value!r}. Received: {config[key]!r}.")


def _pooling(path, prompt):
    config = read_json(path, "A sentence-transformers folder says there how it pools.")
    modes = config.get("pooling_mode")
    if modes is None:
        modes = [mode for key, mode in _SWITCHES.items() if config.get(key)] or ["mean"]
    modes = [modes] if isinstance(modes, str) else modes
    if not isinstance(modes, list) or len(modes) != 1 or modes[0] not in _POOLINGS:
        raise FileFormatError(
            path,
            f"The pooling (`pooling_mode`) must be one of {', '.join(_POOLINGS)}. Received: "
            f"{modes!r:.200}.",
        )
    if prompt:
        _expect(path, config, "include_prompt", True)
    return modes[0]


def _sequence_length(path, config, folder):
    content = read_json(folder / "config.json")
    # A folder of this project keeps the arguments of its backbone under `config`.
    ours = content.get("config")
    ours = ours if isinstance(ours, dict) else {}
    positions = content.get("max_position_embeddings", ours.get("max_sequence_length"))
    if type(positions) is not int:
        raise FileFormatError(
            folder / "config.json",
            f"`max_position_embeddings` must be a whole number. Received: {positions!r}.",
        )
    stated = config.get("max_seq_length")
    if stated is None:
        return longest_text(folder, positions)
    if type(stated) is not int or stated < 3:
        raise FileFormatError(
            path, f"`max_seq_length` must be a whole number of at least 3. Received: {stated!r}."
        )
    return min(stated, positions)


def _prompt(path):
    config = _optional(path)
    name = config.get("default_prompt_name")
    prompts = config.get("prompts")
    prompts = {} if prompts is None else prompts
    if not isinstance(prompts, dict) or not all(isinstance(p, str) for p in prompts.values()):
        raise FileFormatError(
            path, f"`prompts` must be an object of strings. Received: {prompts!r:.200}."
        )
    if name is not None and not isinstance(name, str):
        raise FileFormatError(
            path, f"`default_prompt_name` must be a string or null. Received: {name!r:.200}."
        )
    if name is not None and name not in prompts:
        raise FileFormatError(path, f"`prompts` lacks the default prompt. Received: {name!r}.")
    return prompts.get(name, "")


def read_sentence_transformers(path_or_name):
    """Read how a sentence-transformers folder pools, normalises and cuts.

    Reads `modules.json` and the settings of its modules, as versions 2 to 6
    wrote them.

    Args:
        path_or_name: string or `pathlib.Path`. The folder, or a name that
            `find_checkpoint` knows.

    Returns:
        A `SentenceSettings`; `None` where the folder has no `modules.json`,
        as a plain Hugging Face folder has none.

    Raises:
        MissingFileError: where the folder or a file in it is missing.
        FileFormatError: where the folder has other modules than Transformer,
            Pooling and Normalize, pools in another way, or a file is broken
            (the message names it).

    Example:

    ```python
    from tf_bertembed import models

    settings = models.read_sentence_transformers("all-minilm-l6-v2")
    assert models.checkpoint_format(settings.folder) == "huggingface"
    assert settings.prompt == ""
    ```

    References:
        Reimers and Gurevych, 2019, https://arxiv.org/abs/1908.10084
    """
    root = find_checkpoint(path_or_name)
    if not (root / MODULES).exists():
        return None
    (_, folder), (_, pooling), *normalize = _modules(root / MODULES)
    path = folder / "sentence_bert_config.json"
    config = _optional(path)
    _expect(path, config, "transformer_task", "feature-extraction")
    for _, place in normalize:
        settings = place / "config.json"
        _expect(settings, _optional(settings), "module_input_name", "sentence_embedding")
    prompt = _prompt(root / "config_sentence_transformers.json")
    return SentenceSettings(
        folder=folder,
        pooling=_pooling(pooling / "config.json", prompt),
        normalize=bool(normalize),
        sequence_length=_sequence_length(path, config, folder),
        lowercase=bool(config.get("do_lower_case", False)),
        prompt=prompt,
    )


def write_sentence_settings(settings, folder):
    """Write settings into a folder so that `read_sentence_transformers` finds them there.

    Args:
        settings: a `SentenceSettings`.
        folder: `pathlib.Path`. The folder, which holds the model itself.
    """

    def write(name, content):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

    modules = [("Transformer", ""), ("Pooling", "1_Pooling")]
    if settings.normalize:
        modules.append(("Normalize", "2_Normalize"))
    listed = [
        {"idx": i, "name": str(i), "path": place, "type": f"sentence_transformers.models.{kind}"}
        for i, (kind, place) in enumerate(modules)
    ]
    write(MODULES, listed)
    switches = {key: mode == settings.pooling for key, mode in _SWITCHES.items()}
    write("1_Pooling/config.json", switches)
    write(
        "sentence_bert_config.json",
        {"max_seq_length": settings.sequence_length, "do_lower_case": settings.lowercase},
    )
    if settings.prompt:
        named = {"prompts": {"default": settings.prompt}, "default_prompt_name": "default"}
        write("config_sentence_transformers.json", named)
