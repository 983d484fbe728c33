"""Benchmarks: each measures ours against a reference, in turns and in one run."""
