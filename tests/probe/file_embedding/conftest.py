"""`embed_file` that takes no time, and a table with rows that fail."""

import functools
import json

import pytest

from tf_bertembed import probe


@pytest.fixture(scope="session")
def embed(preset, texts, tmp_path_factory):
    """`embed_file` with a cache that knows the texts of the tests, so that it takes no time."""
    place = tmp_path_factory.mktemp("known")
    (place / "in.txt").write_text("\n".join([*texts, "a", "b"]), encoding="utf-8")
    embed = functools.partial(probe.embed_file, preset, cache=place / "cache")
    embed(place / "in.txt", place / "first.npy")
    return embed


@pytest.fixture
def table(texts, tmp_path):
    """Twelve texts as JSON lines, with ids, and two rows that fail."""
    rows = [{"key": f"k{row}", "body": text} for row, text in enumerate(texts)]
    lines = [*map(json.dumps, rows[:5]), '{"key": "none"}', "{", *map(json.dumps, rows[5:])]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    return tmp_path / "in.jsonl", {"text_column": "body", "id_column": "key"}
