"""sentence-transformers on PyTorch."""

import torch
from sentence_transformers import SentenceTransformer

PACKAGES = ["sentence-transformers", "transformers", "torch", "tokenizers"]


def threads():
    return {"torch": torch.get_num_threads()}


def embedder(checkpoint, longest=256):
    model = SentenceTransformer(checkpoint, device="cpu")
    model.max_seq_length = longest

    def encode(texts):
        return model.encode(texts, normalize_embeddings=True, show_progress_bar=False)

    return encode
