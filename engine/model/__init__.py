"""The training side of the models (torch), and the counting models (NumPy)."""
