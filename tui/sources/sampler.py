"""The client of the sampler's process (`engine.sampler_process`)."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from engine import protocol
from engine.options import OptionValue
from engine.protocol import ChangeSampling, SamplerAnswer, SamplerRequest, Stop
from tui.sources.restarting_process import ProcessEnded, RestartingProcess

Answers = tuple[SamplerAnswer | ProcessEnded, ...]


class Sampler(RestartingProcess[SamplerRequest, SamplerAnswer]):
    """Sends requests to the sampler; answers have the id that `request` returned."""

    NAME = "sampler"
    ANSWERS = protocol.SAMPLER_ANSWERS
    RATE: ClassVar[float | None] = 30.0
    PATIENCE = 1.0

    def __init__(self, command: Sequence[str], deliver: Callable[[Answers], object]) -> None:
        super().__init__(command, deliver)
        self._last = 0  # the newest request's id

    def request(self, request: SamplerRequest) -> int:
        """Send a request and return its id."""
        self._last += 1
        self._send(dataclasses.replace(request, id=self._last))
        return self._last

    def change(self, options: Mapping[str, OptionValue]) -> None:
        """Change sampling options, for example the temperature, of the songs being written."""
        self._send_if_running(ChangeSampling(options, id=0))

    def stop(self) -> None:
        """Stop everything requested so far."""
        self._send_if_running(Stop())
