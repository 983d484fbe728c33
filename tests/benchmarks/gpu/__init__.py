"""Checks and times training on a GPU: `python -m tests.benchmarks.gpu`."""
