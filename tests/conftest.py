"""One thread for each process of the tests, as more would fight over the cores; one time zone."""

import gc
import os
import time

os.environ["TZ"] = "UTC"  # the app shows local times
time.tzset()

for library in ("OMP", "MKL", "OPENBLAS"):  # before NumPy and torch are imported
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")


def pytest_collection_finish() -> None:
    """What all tests have imported lives as long as they: the collector need not look at it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 20)
