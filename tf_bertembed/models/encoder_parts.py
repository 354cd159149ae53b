"""The layers of a backbone, from the embeddings to what a head reads."""


def _present(*layers):
    return [layer for layer in layers if layer is not None]


def embedding_layers(backbone):
    """What makes the vectors that the first transformer layer takes, without word vectors."""
    return _present(
        backbone.token_embedding,
        backbone.token_projection,
        backbone.position_embedding,
        backbone.segment_embedding,
        backbone.tag_embedding,
        backbone.embeddings_norm,
    )


def head_layers(backbone):
    """What is new for a task, or near its head: the pooler, the last norm and the fusions."""
    return _present(
        backbone.input_fusion_layer,
        backbone.final_norm,
        backbone.pooler_dense,
        backbone.output_fusion_layer,
        backbone.pooled_fusion_layer,
    )


def dense_and_norm_layers(layer):
    """All that has weights in a transformer layer."""
    return [
        layer.attention.qkv_dense,
        layer.attention.output_dense,
        layer.attention_norm,
        layer.intermediate_dense,
        layer.output_dense,
        layer.feedforward_norm,
    ]


def mark(layer, trainable):
    """Set whether a layer and all in it is trained."""
    # TensorFlow's tracking passes over an attribute that has its value already, though the
    # layers within may have another.
    layer.trainable = not trainable
    layer.trainable = trainable
