"""How much is worked on together."""

# Texts that are sorted by length, encoded, kept in a cache and put on disk at a time: enough that
# batches hold texts of one length, and little to do again after a kill.
WINDOW = 16384
