"""Data sets, readers of song files, prepared corpora and batches for training."""
