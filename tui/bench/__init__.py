"""Benchmarks of `rnn-tui bench`: each times our code and a reference alternately in one run."""
