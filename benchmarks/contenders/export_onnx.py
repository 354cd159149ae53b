"""Export a sentence encoder to ONNX: pooling and normalisation in the graph, any batch and length.

Runs in the environment "pytorch": python -m contenders.export_onnx CHECKPOINT OUTPUT
"""

import os
import sys

import torch
import transformers


class Encoder(torch.nn.Module):
    def __init__(self, checkpoint):
        super().__init__()
        # ONNX Runtime knows the pattern of this attention and runs it as one kernel.
        self.bert = transformers.AutoModel.from_pretrained(checkpoint, attn_implementation="eager")

    def forward(self, input_ids, attention_mask, token_type_ids):
        hidden = self.bert(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * mask).sum(1) / mask.sum(1)
        return torch.nn.functional.normalize(mean, dim=1)


def main(checkpoint, output):
    example = torch.ones(2, 7, dtype=torch.int64)
    names = ["input_ids", "attention_mask", "token_type_ids"]
    axes = {name: {0: "batch", 1: "length"} for name in names}
    torch.onnx.export(
        Encoder(checkpoint).eval(),
        (example, example, torch.zeros_like(example)),
        output + ".new",
        dynamo=False,
        input_names=names,
        output_names=["embedding"],
        dynamic_axes={**axes, "embedding": {0: "batch"}},
    )
    os.replace(output + ".new", output)


if __name__ == "__main__":
    main(*sys.argv[1:])
