"""One thread for each of the processes that the tests run in: more would fight over the cores."""

import gc
import os

for library in ("OMP", "MKL", "OPENBLAS"):  # before NumPy and torch are imported
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")


def pytest_collection_finish() -> None:
    """What all tests have imported lives as long as they: the collector need not look at it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 20)
