"""Pieces of a new vocabulary as mixes of those of an old one."""
