"""The trainer: its process, the training loop, evaluation and checkpoints."""
