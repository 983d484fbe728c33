"""Models: recurrent networks for training (torch), and n-gram models (NumPy)."""
