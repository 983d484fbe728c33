"""Trained models in NumPy: read from safetensors and stepped to sample, without torch."""
