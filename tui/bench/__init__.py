"""Benchmarks: each measures our code and a reference alternately in one run."""
