"""Folders as sentence-transformers wrote them, and what it makes of them."""

import json
import shutil
import sys

import numpy as np
import pytest

from tf_bertembed import layers, models, text
from tf_bertembed.common import FileFormatError, MissingFileError

OLD = "sentence_transformers.models"
# As sentence-transformers 6.2.0 writes it with transformers 5.23.0.
NEW_MODULES = [
    ("", "sentence_transformers.base.modules.transformer.Transformer"),
    ("1_Pooling", "sentence_transformers.sentence_transformer.modules.pooling.Pooling"),
    ("2_Normalize", "sentence_transformers.base.modules.normalize.Normalize"),
]
NEW_FILES = {
    "config.json": {"max_position_embeddings": 32},
    "tokenizer_config.json": {"model_max_length": 20, "do_lower_case": True},
    "sentence_bert_config.json": {
        "transformer_task": "feature-extraction",
        "modality_config": {
            "text": {"method": "forward", "method_output_name": "last_hidden_state"}
        },
        "module_output_name": "token_embeddings",
    },
    "1_Pooling/config.json": {
        "embedding_dimension": 16,
        "pooling_mode": "mean",
        "include_prompt": True,
    },
    "2_Normalize/config.json": {
        "module_input_name": "sentence_embedding",
        "module_output_name": "sentence_embedding",
    },
    "config_sentence_transformers.json": {
        "default_prompt_name": None,
        "prompts": {"document": "", "query": ""},
    },
}


@pytest.fixture
def write(tmp_path):
    """Write a folder of the newest form, with other modules or settings."""

    def write(changes=None, modules=NEW_MODULES):
        listed = [
            {"idx": i, "name": str(i), "path": path, "type": kind}
            for i, (path, kind) in enumerate(modules)
        ]
        files = {"modules.json": listed, **NEW_FILES}
        for name, change in (changes or {}).items():
            whole = name == "modules.json" or change is None
            files[name] = change if whole else {**files.get(name, {}), **change}
        for name, content in files.items():
            if content is not None:
                (tmp_path / name).parent.mkdir(exist_ok=True)
                (tmp_path / name).write_text(json.dumps(content))
        return tmp_path

    return write


def test_the_real_folder(folder):
    assert models.read_sentence_transformers("all-minilm-l6-v2") == models.SentenceSettings(
        folder=folder, pooling="mean", normalize=True, sequence_length=256
    )


def test_the_newest_form(write):
    folder = write()
    assert models.read_sentence_transformers(folder) == models.SentenceSettings(
        folder=folder, pooling="mean", normalize=True, sequence_length=20
    )


def test_a_plain_folder(write):
    assert models.read_sentence_transformers(write({"modules.json": None})) is None
    with pytest.raises(MissingFileError, match="nowhere does not exist"):
        models.read_sentence_transformers("nowhere")


def test_the_oldest_form(write):
    # Until version 2 the BERT stood in a folder of its own.
    folder = write(
        {
            "1_Pooling/config.json": {
                "pooling_mode": None,
                "pooling_mode_cls_token": False,
                "pooling_mode_max_tokens": True,
            },
            "0_BERT/config.json": {"max_position_embeddings": 40},
            "0_BERT/sentence_bert_config.json": {"max_seq_length": 64, "do_lower_case": True},
        },
        [("0_BERT", f"{OLD}.Transformer"), ("1_Pooling", f"{OLD}.Pooling")],
    )
    assert models.read_sentence_transformers(folder) == models.SentenceSettings(
        folder=folder / "0_BERT",
        pooling="max",
        normalize=False,
        sequence_length=40,
        lowercase=True,
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"1_Pooling/config.json": {"pooling_mode": "cls"}}, ("cls", 20, "")),
        ({"1_Pooling/config.json": {"pooling_mode": ["max"]}}, ("max", 20, "")),
        ({"1_Pooling/config.json": {"pooling_mode": None}}, ("mean", 20, "")),
        ({"sentence_bert_config.json": {"max_seq_length": 12}}, ("mean", 12, "")),
        ({"sentence_bert_config.json": None}, ("mean", 20, "")),
        ({"2_Normalize/config.json": None}, ("mean", 20, "")),
        ({"tokenizer_config.json": {"model_max_length": 10**30}}, ("mean", 32, "")),
        ({"tokenizer_config.json": None}, ("mean", 32, "")),
        (
            {
                "config_sentence_transformers.json": {
                    "prompts": {"query": "query: "},
                    "default_prompt_name": "query",
                }
            },
            ("mean", 20, "query: "),
        ),
    ],
)
def test_settings(changes, expected, write):
    settings = models.read_sentence_transformers(write(changes))
    assert (settings.pooling, settings.sequence_length, settings.prompt) == expected


TWO = NEW_MODULES[:2]


@pytest.mark.parametrize(
    ("changes", "modules", "message"),
    [
        ({}, [*TWO, ("2_Dense", f"{OLD}.Dense")], "Received: Transformer, Pooling, Dense"),
        ({}, TWO[:1], r"modules\.json: The modules must be .* Received: Transformer\."),
        ({}, [], "Received: none"),
        ({}, [("../out", TWO[0][1]), TWO[1]], "within the folder.*out"),
        ({"modules.json": {"a": 1}}, TWO, "A JSON list was expected"),
        ({"modules.json": ["a"]}, TWO, "must have a `type`.*'a'"),
        (
            {"1_Pooling/config.json": {"pooling_mode": "weightedmean"}},
            TWO,
            r"1_Pooling/config\.json: .* mean, max, cls\. Received: \['weightedmean'\]",
        ),
        (
            {
                "1_Pooling/config.json": {
                    "pooling_mode": None,
                    "pooling_mode_mean_tokens": True,
                    "pooling_mode_lasttoken": True,
                }
            },
            TWO,
            r"Received: \['mean', 'lasttoken'\]",
        ),
        (
            {"2_Normalize/config.json": {"module_input_name": "token_embeddings"}},
            NEW_MODULES,
            "`module_input_name` must be 'sentence_embedding'. Received: 'token_embeddings'",
        ),
        (
            {"sentence_bert_config.json": {"transformer_task": "fill-mask"}},
            TWO,
            "`transformer_task` must be 'feature-extraction'. Received: 'fill-mask'",
        ),
        (
            {"sentence_bert_config.json": {"max_seq_length": "12"}},
            TWO,
            "`max_seq_length` must be a whole number",
        ),
        (
            {"config.json": {"max_position_embeddings": None}},
            TWO,
            "`max_position_embeddings` must be a whole number",
        ),
        (
            {"config_sentence_transformers.json": {"default_prompt_name": "passage"}},
            TWO,
            "`prompts` lacks the default prompt. Received: 'passage'",
        ),
        *(
            (
                {"config_sentence_transformers.json": {"prompts": prompts}},
                TWO,
                r"config_sentence_transformers\.json: `prompts` must be an object of strings",
            )
            for prompts in (["query: "], "query: ", 5, {"query": 5}, {"query": None})
        ),
        *(
            (
                {"config_sentence_transformers.json": {"default_prompt_name": name}},
                TWO,
                r"config_sentence_transformers\.json: `default_prompt_name` must be a string or",
            )
            for name in (5, ["query"], {})
        ),
        *(
            (
                {"1_Pooling/config.json": {"pooling_mode": mode}},
                TWO,
                r"1_Pooling/config\.json: The pooling \(`pooling_mode`\) must be one of",
            )
            for mode in (5, {"a": "mean"}, [["mean"]], True)
        ),
    ],
)
def test_what_is_not_taken(changes, modules, message, write):
    with pytest.raises(FileFormatError, match=message):
        models.read_sentence_transformers(write(changes, modules))


def test_pooling_settings_that_are_missing(write):
    with pytest.raises(MissingFileError, match=r"1_Pooling/config\.json does not exist"):
        models.read_sentence_transformers(write({"1_Pooling/config.json": None}))


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["mean", "max", "cls"])
def test_the_same_vectors(pooling, tmp_path):
    """A random BERT that sentence-transformers itself put together, saved and encoded."""
    sys.modules.setdefault("triton", None)  # see tests/tasks/test_huggingface.py
    import torch
    import transformers
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Normalize, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling

    torch.manual_seed(0)
    pieces = [*text.SPECIAL_TOKENS, "the", "cat", "##s", "sat", ".", "caf", "##e", "我", "!"]
    sizes = {"vocab_size": 14, "hidden_size": 16, "num_hidden_layers": 2, "intermediate_size": 32}
    config = transformers.BertConfig(**sizes, num_attention_heads=2, max_position_embeddings=32)
    transformers.BertModel(config).save_pretrained(tmp_path / "bert")
    transformers.BertTokenizer({piece: i for i, piece in enumerate(pieces)}).save_pretrained(
        tmp_path / "bert"
    )
    bert = Transformer(str(tmp_path / "bert"), max_seq_length=9)
    modules = [bert, Pooling(16, pooling_mode=pooling)]
    modules += [] if pooling == "max" else [Normalize()]
    peer = SentenceTransformer(modules=modules, device="cpu")
    peer.save(str(tmp_path / "saved"))
    shutil.rmtree(tmp_path / "bert")

    texts = ["The cats sat.", "Café 我!", "the cat sat . " * 5]
    settings = models.read_sentence_transformers(tmp_path / "saved")
    assert (settings.pooling, settings.sequence_length) == (pooling, 9)
    assert settings.normalize == (pooling != "max")
    tokenizer = text.BertEmbedTokenizer.from_folder(settings.folder)
    features = text.Preprocessor(tokenizer, settings.sequence_length)(texts)
    encoded = models.load(settings.folder)(features)["sequence_output"]
    got = np.asarray(layers.MaskedPooling(settings.pooling)(encoded, features["padding_mask"]))
    if settings.normalize:
        got = got / np.linalg.norm(got, axis=1, keepdims=True)
    expected = peer.encode(texts)
    assert np.abs(got - expected).max() <= 1e-5 * np.abs(expected).max()
