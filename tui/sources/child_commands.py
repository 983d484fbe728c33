"""The commands that start the child processes of the app and of the commands."""

from dataclasses import dataclass

from engine import processes


@dataclass(frozen=True)
class Programs:
    """The command of each program."""

    cli: tuple[str, ...] = processes.command("tui.cli")
    sampler: tuple[str, ...] = processes.command("engine.sampler_process")
    player: tuple[str, ...] = processes.command("engine.music.player")
    music_export: tuple[str, ...] = processes.command("engine.music.export")


INSTALLED = Programs()
