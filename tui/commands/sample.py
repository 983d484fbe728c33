"""Write lyrics or music with a model."""

import argparse
import os

from tui.commands import sample_lyrics, sample_music

KINDS = {"lyrics": sample_lyrics, "music": sample_music}


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    kinds = parser.add_subparsers(dest="kind", metavar="lyrics|music", required=True)
    for name, module in KINDS.items():
        module.add(kinds.add_parser(name, help=module.__doc__, description=module.__doc__))


def run(arguments: argparse.Namespace) -> int:
    """Write the songs."""
    # Matrix products this small are slower with threads; set before NumPy is imported.
    for name in ("OPENBLAS", "OMP", "MKL"):
        os.environ.setdefault(f"{name}_NUM_THREADS", "1")
    return int(KINDS[arguments.kind].run(arguments))
