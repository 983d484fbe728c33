"""The streaming side of the models: NumPy only, no torch."""
