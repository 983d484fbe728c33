"""Recurrent networks for songs; independent of the terminal.

`from engine import generate, load, train` imports the calls of `engine.api` when they are named, so
that an import of another part of the engine does not load it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.api import generate, load, train

__all__ = ["generate", "load", "train"]


def __getattr__(name: str) -> Any:
    if name in ("generate", "load"):  # `train` is the package engine.train, which can be called
        from engine import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
