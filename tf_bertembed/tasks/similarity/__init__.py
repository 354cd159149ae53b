"""A vector for a text: the task, how pairs train it, what is taken off its vectors, and metrics."""
