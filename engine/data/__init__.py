"""From files of songs to memory-mapped corpora and batches."""
