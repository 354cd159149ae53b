"""Fine-tuning next to Hugging Face's classes: the same rows, weights and settings on both sides."""
