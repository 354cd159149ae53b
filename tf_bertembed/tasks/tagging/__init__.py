"""Labels on words: the task, the entities that they mark, and what it answers."""
