"""Everything that Keras may find in a file, imported, since Keras reads only what has been.

Source: `keras.saving.register_keras_serializable`, https://keras.io/api/models/model_saving_apis/
"""

import importlib

MODULES = {
    "layers": (
        *("dropout", "first_pieces", "initializers", "input_fusion", "lora_dense"),
        *("masked_lm_head", "masked_pooling", "output_fusion", "position_embedding"),
        *("self_attention", "sif_pooling", "static_dropout", "static_embedding"),
        "transformer_layer",
    ),
    "models": ("backbone",),
    "tasks": (
        *("adamw", "classification.text_classifier", "pretrainer"),
        *("question_answering.question_answerer", "similarity.pearson_metric"),
        *("similarity.ranking_loss", "similarity.sentence_encoder"),
        *("tagging.tag_accuracy", "tagging.token_classifier"),
    ),
    "text": ("preprocessor", "question_preprocessor", "tagging_preprocessor", "tokenizer"),
    "training": ("schedule",),
}

for _folder, _modules in MODULES.items():
    for _module in _modules:
        importlib.import_module(f"tf_bertembed.{_folder}.{_module}")
