"""Classes for texts and pairs of texts: the task, and what it answers."""
