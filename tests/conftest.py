"""One thread for each process of the tests, as more would fight over the cores; one time zone."""

import atexit
import gc
import os
import time

import hypothesis

hypothesis.settings.register_profile("untimed", deadline=None)  # no test asserts a time
hypothesis.settings.load_profile("untimed")

os.environ["TZ"] = "UTC"  # the app shows local times
time.tzset()

for library in ("OMP", "MKL", "OPENBLAS"):  # before NumPy and torch are imported
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

if "PYTEST_XDIST_WORKER" in os.environ:  # what was registered later is called before this
    atexit.register(os._exit, 0)


def pytest_collection_finish() -> None:
    """What all tests have imported lives as long as they: the collector need not look at it.

    Nor need it free every app that has ended (7 MB each), and a process that ends need free nothing
    object by object: each would take seconds.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(1_000_000, 20, 20)


def pytest_sessionfinish() -> None:
    gc.freeze()
