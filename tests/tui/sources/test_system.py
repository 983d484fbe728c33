import os
from types import SimpleNamespace

import pynvml
import pytest

from tui.sources import system
from tui.sources.system import Gpu, SystemMonitor, Usage


def test_the_machine_and_a_process_are_measured() -> None:
    usage = SystemMonitor().read(os.getpid())
    assert 0 < usage.used < usage.total
    assert 0 <= usage.percent <= 100
    assert usage.trainer_percent is not None
    assert usage.trainer_memory > 10
    assert SystemMonitor().read(None).trainer_percent is None
    assert SystemMonitor().read(2**30).trainer_percent is None  # it has ended


def test_a_line_for_each() -> None:
    usage = Usage(8, 50.0, 4000.0, 16000.0, 99.6, 512.0, (Gpu("H200", 25.0, 2e3, 144e3),))
    assert usage.lines(4) == [
        "processor ━━──  50 % of 8 cores",
        "memory    ━───  4.0 GB of 16.0 GB",
        "trainer   100 % of a core, 512 MB",
        "GPU       ━───  25 %, 2.0 GB of 144.0 GB (H200)",
    ]


def test_gpus_are_those_of_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "nvmlInit": lambda: None,
        "nvmlDeviceGetCount": lambda: 1,
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetMemoryInfo": lambda device: SimpleNamespace(used=2e9, total=144e9),
        "nvmlDeviceGetUtilizationRates": lambda device: SimpleNamespace(gpu=25),
        "nvmlDeviceGetName": lambda device: "H200",
    }
    for name, value in values.items():
        monkeypatch.setattr(pynvml, name, value)
    assert system.gpus() == (Gpu("H200", 25.0, 2000.0, 144_000.0),)

    def absent() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", absent)
    assert system.gpus() == ()
