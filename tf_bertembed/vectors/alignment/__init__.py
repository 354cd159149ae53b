"""A vector for every piece of a vocabulary."""
