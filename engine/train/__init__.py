"""The trainer: its process, the training loop, evaluation and checkpoints.

The package can also be called: `from engine import train` and `train("songs.csv")` is
`engine.api.train`. A function beside it in `engine` could not have its name, since Python replaces
such a function by the package as soon as anything imports the package.
"""

import sys
import types
from typing import Any


class _CallablePackage(types.ModuleType):
    def __call__(self, *arguments: Any, **options: Any) -> Any:
        from engine import api

        return api.train(*arguments, **options)


sys.modules[__name__].__class__ = _CallablePackage
