"""BERT's forward pass in NumPy float64, written from the papers and from the
published names of the weights, sharing no code with the package."""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from scipy.special import erf

ACTIVATIONS = {
    "gelu": lambda x: x * 0.5 * (1 + erf(x / np.sqrt(2))),
    "gelu_new": lambda x: x * 0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
    "relu": lambda x: np.maximum(x, 0),
}


class ReferenceBert:
    """Computes the hidden states of a Hugging Face BERT folder.

    Formulas: Vaswani et al., 2017 (attention); Devlin et al., 2019 (BERT);
    Hendrycks and Gimpel, 2016 (GELU).
    """

    def __init__(self, folder):
        folder = Path(folder)
        self.config = json.loads((folder / "config.json").read_text())
        weights = load_file(folder / "model.safetensors")
        self.weights = {
            name.removeprefix("bert."): value.astype("float64") for name, value in weights.items()
        }

    def _linear(self, x, name):
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def _norm(self, x, name):
        mean = x.mean(-1, keepdims=True)
        variance = ((x - mean) ** 2).mean(-1, keepdims=True)
        x = (x - mean) / np.sqrt(variance + self.config["layer_norm_eps"])
        return x * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def _attention(self, x, mask, name):
        heads = self.config["num_attention_heads"]
        batch, length, width = x.shape

        def split(part):
            projected = self._linear(x, f"{name}.self.{part}")
            return projected.reshape(batch, length, heads, width // heads).transpose(0, 2, 1, 3)

        query, key, value = split("query"), split("key"), split("value")
        scores = query @ key.transpose(0, 1, 3, 2) / np.sqrt(width // heads)
        scores = np.where(mask[:, None, None, :], scores, -np.inf)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        context = (weights @ value).transpose(0, 2, 1, 3).reshape(batch, length, width)
        return self._linear(context, f"{name}.output.dense"), weights

    def __call__(self, token_ids, segment_ids, padding_mask):
        """Returns the hidden states, the attentions and the pooled output."""
        table = self.weights
        x = table["embeddings.word_embeddings.weight"][token_ids]
        x = x + table["embeddings.position_embeddings.weight"][: token_ids.shape[1]]
        x = x + table["embeddings.token_type_embeddings.weight"][segment_ids]
        x = self._norm(x, "embeddings.LayerNorm")
        states, attentions = [x], []
        for index in range(self.config["num_hidden_layers"]):
            name = f"encoder.layer.{index}"
            attended, weights = self._attention(x, padding_mask, f"{name}.attention")
            x = self._norm(x + attended, f"{name}.attention.output.LayerNorm")
            inner = self._linear(x, f"{name}.intermediate.dense")
            inner = ACTIVATIONS[self.config["hidden_act"]](inner)
            x = self._norm(
                x + self._linear(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm"
            )
            states.append(x)
            attentions.append(weights)
        pooled = np.tanh(self._linear(x[:, 0], "pooler.dense"))
        return states, attentions, pooled
