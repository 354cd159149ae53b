"""What `fine_tune`, its start and its settings refuse."""

import pytest

from tf_bertembed import training
from tf_bertembed.common import BertEmbedError
from tf_bertembed.training.recipes import Examples


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"settings": {"sequence_length": 2}}, "an int of at least 3. Received: 2"),
        ({"settings": {"sequence_length": 99999999}}, "at most 16384, .* Received: 99999999"),
        ({"settings": {"epochs": 0}}, "`epochs` must be an int of at least 1. Received: 0"),
        ({"settings": {"batch_size": 2.5}}, "`batch_size` must be an int"),
        ({"settings": {"learning_rate": 0.0}}, "`learning_rate` must be positive"),
        ({"settings": {"warmup_share": 1.0}}, "`warmup_share` must be from 0"),
        ({"settings": {"weight_decay": -1.0}}, "`weight_decay` must be at least 0"),
        ({"settings": {"weight_decay": None}}, "`weight_decay` must be at least 0.* None"),
        ({"settings": {"head_factor": float("inf")}}, "`head_factor` must be positive"),
        ({"settings": {"layer_decay": "0.9"}}, "`layer_decay` must be above 0 .* '0.9'"),
        ({"settings": {"lora_rank": 2, "lora_alpha": float("nan")}}, "`lora_alpha` must be pos"),
        ({"settings": {"precision": "half"}}, "`precision` must be one of float32.*'half'"),
        ({"settings": {"patience": 0}}, "`patience` must be an int of at least 1"),
        ({"settings": {"seed": 2**32}}, "`seed` must be less than"),
        ({"settings": {"layers": "top"}}, r'must be "all", "head" or a number. Received: .top'),
        ({"settings": {"layers": -1}}, "`layers` must be an int of at least 0. Received: -1"),
        ({"settings": {"layers": "head", "unfreeze_every": 1}}, "goes with neither `layers` nor"),
        ({"settings": {"lora_rank": 2, "unfreeze_every": 1}}, "goes with neither `layers` nor"),
        ({"settings": {"lora_rank": 2, "layers": "head"}}, "the head is trained in any case"),
        ({"settings": {"lora_alpha": 2.0}}, r"needs `lora_rank` \(--lora-rank\)"),
        ({"start": {"output_fusion": "concat"}}, r"need `vectors` \(--vectors\)"),
        ({"start": {"warm_start": True}}, r"need `vectors` \(--vectors\)"),
        ({"start": {"vectors": "a.txt", "warm_start": False}}, "would not be used"),
        ({"start": {"backbone": "run", "vectors": "a.txt"}}, "would not be used"),
        ({"start": {"backbone": "run", "vocabulary": "v.txt"}}, "is for a new backbone"),
        ({"seeds": 0}, "`seeds` must be an int of at least 1"),
        ({"folds": 1}, "`folds` must be an int of at least 2"),
        ({"recipe": None}, "`recipe` must be a Recipe. Received: None"),
        ({"dev": 3}, "`dev` must be the path of a data file.* Received: 3"),
        ({"dev": Examples(([],), [])}, "at least one row"),
        ({"task_options": "x"}, "`task_options` must be a dict"),
        ({"output": 3}, "`output` must be a path. Received: 3"),
        ({"start": {"vocabulary": 3}}, "`vocabulary` must be a path or a name. Received: 3"),
        ({"start": {"dropout": 2}}, "`dropout` must be from 0 to 1. Received: 2"),
        (
            {"start": {"num_layers": "2"}},
            "`num_layers` must be an int of at least 1. Received: '2'",
        ),
        ({"recipe": "cooking"}, "must be one of classification.*'cooking'"),
    ],
)
def test_arguments_that_make_no_sense(arguments, message, make_examples):
    def tune(recipe="classification", settings=None, start=None, **others):
        training.fine_tune(
            recipe,
            make_examples(0, 4),
            settings=training.FitSettings(**(settings or {})),
            start=training.ModelStart(**(start or {})),
            **others,
        )

    with pytest.raises(BertEmbedError, match=message):
        tune(**arguments)
