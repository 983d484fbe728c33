"""Rule-based composer of the included piano pieces: run `python -m assets.make.composer`."""
