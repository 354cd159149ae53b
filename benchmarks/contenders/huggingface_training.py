"""A masked-LM step of Hugging Face's PyTorch BERT."""

import itertools

import numpy as np
import torch
import transformers

PACKAGES = ["transformers", "torch"]


def threads():
    return {"torch": torch.get_num_threads()}


def trainer(batches, sizes, dropout):
    """As it comes: logits at all positions, AdamW over all weights."""
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=sizes["vocabulary_size"],
        num_hidden_layers=sizes["num_layers"],
        num_attention_heads=sizes["num_heads"],
        hidden_size=sizes["hidden_dim"],
        intermediate_size=sizes["intermediate_dim"],
        max_position_embeddings=sizes["max_sequence_length"],
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
    )
    model = transformers.BertForMaskedLM(config).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01)
    feed = itertools.cycle([_inputs(batch) for batch in _read(batches)])

    def step(number):
        for _ in range(number):
            loss = model(**next(feed)).loss
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        return loss.item()

    return step


def _read(path):
    arrays = np.load(path, allow_pickle=False)
    for number in range(len(arrays["token_ids"])):
        yield {name: arrays[name][number] for name in arrays.files}


def _inputs(batch):
    labels = np.full(batch["token_ids"].shape, -100, "int64")
    rows, places = np.nonzero(batch["mask_weights"])
    labels[rows, batch["mask_positions"][rows, places]] = batch["mask_ids"][rows, places]
    arrays = {
        "input_ids": batch["token_ids"],
        "token_type_ids": batch["segment_ids"],
        "attention_mask": batch["padding_mask"],
        "labels": labels,
    }
    return {name: torch.from_numpy(array.astype("int64")) for name, array in arrays.items()}
