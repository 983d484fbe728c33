"""The small rule-based composer of assets/corpora/pieces: `python -m docs.composer` writes them."""
