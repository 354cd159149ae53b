"""One file a kind of task: from a data file to a trained task, its metrics and its answers."""
