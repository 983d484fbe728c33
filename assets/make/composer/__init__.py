"""The rule-based composer of assets/corpora/pieces: `python -m assets.make.composer` runs it."""
