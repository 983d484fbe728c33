"""The NumPy side of the models: weights read from safetensors and stepped without torch."""
