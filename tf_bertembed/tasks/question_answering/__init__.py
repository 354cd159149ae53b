"""Answers as parts of texts: the task, its windows, the best spans, and how they are counted."""
