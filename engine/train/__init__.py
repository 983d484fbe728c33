"""The trainer: one loop, its checkpoints and its process."""
