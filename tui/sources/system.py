"""How busy the machine is: its processors, memory and GPUs, and the process of a trainer."""

import contextlib
import os
from dataclasses import dataclass

import psutil

from tui.formatting import megabytes, progress_bar

_MB = 1e6


@dataclass(frozen=True)
class Gpu:
    """A GPU; memory in megabytes."""

    name: str
    percent: float  # how busy it is
    used: float
    total: float


@dataclass(frozen=True)
class Usage:
    """The use of a machine; memory in megabytes."""

    cores: int
    percent: float  # of all cores
    used: float
    total: float
    trainer_percent: float | None  # of one core; None: no trainer on this machine
    trainer_memory: float
    gpus: tuple[Gpu, ...]

    def lines(self, width: int) -> list[str]:
        """Return a line for each of them, with bars of `width` cells."""

        def line(label: str, share: float, words: str) -> str:
            return f"{label:9} {progress_bar(share, width)}  {words}"

        lines = [
            line("processor", self.percent / 100, f"{self.percent:.0f} % of {self.cores} cores"),
            line("memory", self.used / self.total,
                 f"{megabytes(self.used)} of {megabytes(self.total)}"),
        ]  # fmt: skip
        if self.trainer_percent is not None:
            lines.append(
                f"trainer   {self.trainer_percent:.0f} % of a core, "
                f"{megabytes(self.trainer_memory)}"
            )
        for gpu in self.gpus:
            words = f"{gpu.percent:.0f} %, {megabytes(gpu.used)} of {megabytes(gpu.total)}"
            lines.append(line("GPU", gpu.percent / 100, f"{words} ({gpu.name})"))
        return lines


class SystemMonitor:
    """Measures the use of the machine between two calls of `read`."""

    def __init__(self) -> None:
        self._trainer: psutil.Process | None = None
        psutil.cpu_percent()  # the first call only notes the time

    def read(self, pid: int | None) -> Usage:
        """Return the use of the machine. pid: of the trainer; None: it does not run here."""
        memory = psutil.virtual_memory()
        percent, trainer_memory = None, 0.0
        with contextlib.suppress(psutil.Error):
            if pid is not None and (self._trainer is None or self._trainer.pid != pid):
                self._trainer = psutil.Process(pid)
            if pid is not None and self._trainer is not None:
                percent = self._trainer.cpu_percent()
                trainer_memory = self._trainer.memory_info().rss / _MB
        return Usage(
            cores=os.cpu_count() or 1,
            percent=psutil.cpu_percent(),
            used=(memory.total - memory.available) / _MB,
            total=memory.total / _MB,
            trainer_percent=percent,
            trainer_memory=trainer_memory,
            gpus=gpus(),
        )


def gpus() -> tuple[Gpu, ...]:
    """Return the NVIDIA GPUs of this machine; () without any, or without their driver."""
    import pynvml

    found = []
    try:
        pynvml.nvmlInit()
        for index in range(pynvml.nvmlDeviceGetCount()):
            device = pynvml.nvmlDeviceGetHandleByIndex(index)
            memory = pynvml.nvmlDeviceGetMemoryInfo(device)
            percent = float(pynvml.nvmlDeviceGetUtilizationRates(device).gpu)
            name = str(pynvml.nvmlDeviceGetName(device))
            found.append(Gpu(name, percent, memory.used / _MB, memory.total / _MB))
    except pynvml.NVMLError:
        pass
    return tuple(found)
