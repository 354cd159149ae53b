"""How long each part of the demo may take."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Settings:
    """Sizes of the demo's parts; `full` is the default, `fast` for a test."""

    static_words: int
    vocabulary_size: int
    num_layers: int
    hidden_dim: int
    pretraining_steps: int
    evaluate_every: int
    small_epochs: int
    articles: int | None
    held_out: int | None
    imported_steps: int
    budgets: tuple
    seeds: int

    pretraining_length: int = 64
    article_length: int = 64
    batch_size: int = 32


FULL = Settings(
    static_words=100_000,
    vocabulary_size=8_000,
    num_layers=2,
    hidden_dim=128,
    pretraining_steps=120,
    evaluate_every=15,
    small_epochs=3,
    articles=None,
    held_out=None,
    imported_steps=20,
    budgets=(10, None),
    seeds=5,
)
FAST = dataclasses.replace(
    FULL,
    static_words=50_000,
    pretraining_steps=20,
    evaluate_every=10,
    small_epochs=2,
    articles=200,
    held_out=100,
    imported_steps=3,
    seeds=3,
)
