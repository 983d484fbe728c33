"""Check and time training on a GPU: `python -m tests.benchmarks.gpu`."""
