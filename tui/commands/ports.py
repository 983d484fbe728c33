"""List the MIDI ports."""

import argparse
import dataclasses

from tui.commands import output
from tui.commands.arguments import add_json


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--inputs", action="store_true", help="List the input ports, on which a person plays."
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the ports: those of the system, then the synthesizer, then a virtual port."""
    from engine.music import ports

    if arguments.inputs:
        inputs = ports.scan_inputs()
        if inputs or arguments.json:
            output.table([dataclasses.asdict(port) for port in inputs], arguments.json)
        else:
            output.echo("No MIDI input was found.", err=True)
        return 0
    found = ports.scan()
    if found.ports or arguments.json:
        output.table([dataclasses.asdict(port) for port in found.ports], arguments.json)
    elif not found.midi_error:
        output.echo("No MIDI port was found.", err=True)
    for error in (found.synth_error, found.midi_error):
        if error:
            output.echo(error, err=True)
    return 0
