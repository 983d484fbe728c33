"""A measured value beside that of a reference."""

import json
import math
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Measurement:
    """A value with its unit, and a reference in the same unit measured in the same run."""

    what: str
    value: float
    unit: str
    reference: float | None = None  # None: there is no reference
    lower: bool = False  # whether lower values are better

    @property
    def ratio(self) -> float | None:
        """How many times better the value is than the reference: over 1 if it is better.

        None without a reference.
        """
        if self.reference is None:
            return None
        better, worse = (self.reference, self.value) if self.lower else (self.value, self.reference)
        return better / worse if worse else math.inf

    def json(self) -> str:
        """Return one JSON object: what, value, unit, reference, ratio."""
        values = asdict(self)
        del values["lower"]
        return json.dumps({**values, "ratio": self.ratio})
