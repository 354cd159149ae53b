"""Formats of word vectors: told by content, read, written."""
