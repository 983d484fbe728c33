"""One thread for each of the processes that the tests run in: more would fight over the cores."""

import os

for library in ("OMP", "MKL", "OPENBLAS"):  # before NumPy and torch are imported
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
