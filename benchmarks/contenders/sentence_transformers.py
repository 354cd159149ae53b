"""sentence-transformers on PyTorch."""

import time

import torch

PACKAGES = ["sentence-transformers", "transformers", "torch", "tokenizers"]


def threads():
    return {"torch": torch.get_num_threads()}


def embedder(checkpoint, longest=256):
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(checkpoint, device="cpu")
    model.max_seq_length = longest

    counted = {"pieces": 0, "computed": 0}

    def count(module, inputs):
        mask = inputs[0]["attention_mask"]
        counted["pieces"] += int(mask.sum())
        counted["computed"] += mask.numel()

    model[0].register_forward_pre_hook(count)

    def encode(texts):
        counted.update(pieces=0, computed=0)
        return model.encode(texts, normalize_embeddings=True, show_progress_bar=False)

    encode.padding = lambda: 1 - counted["pieces"] / counted["computed"]
    return encode


def loader(checkpoint):
    """Timed after PyTorch is imported."""

    def load():
        from sentence_transformers import SentenceTransformer

        imported = time.perf_counter()
        SentenceTransformer(checkpoint, device="cpu")
        return imported

    return load
