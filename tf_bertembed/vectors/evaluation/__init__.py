"""What word vectors are worth: similarity, analogies, neighbours, a map."""
