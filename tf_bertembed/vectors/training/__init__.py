"""Word vectors learned from a corpus."""
