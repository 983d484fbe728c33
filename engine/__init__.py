"""Recurrent networks for songs; this package knows nothing of the terminal."""
