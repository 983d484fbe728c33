"""List the MIDI output ports that there are to play on."""

import argparse
import dataclasses
import sys

from tui.commands import output


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument("--json", action="store_true", help="print JSON objects")


def run(arguments: argparse.Namespace) -> int:
    """Print them, those that are heard first."""
    from engine.music import ports

    found = ports.scan()
    if found.ports or arguments.json:
        output.table([dataclasses.asdict(port) for port in found.ports], arguments.json)
    else:
        print("There is no MIDI port here.", file=sys.stderr)
    if found.synth_error:
        print(found.synth_error, file=sys.stderr)
    return 0
