"""How the program starts parts of itself in processes of their own."""

import os
import sys


def command(module: str) -> tuple[str, ...]:
    """The words that run a module of ours; -P, so that no folder it is started in gets in first."""
    return (sys.executable, "-P", "-m", module)


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
