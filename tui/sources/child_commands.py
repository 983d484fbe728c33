"""The command lines with which the app and `rnn-tui` commands start their child processes."""

from dataclasses import dataclass

from engine import processes


@dataclass(frozen=True)
class Programs:
    """The command line of each program that is run as a child process; tests replace them."""

    cli: tuple[str, ...] = processes.command("tui.cli")
    sampler: tuple[str, ...] = processes.command("engine.sampler_process")
    player: tuple[str, ...] = processes.command("engine.music.player")
    music_export: tuple[str, ...] = processes.command("engine.music.export_process")


INSTALLED = Programs()
