"""Recurrent networks for songs; independent of the terminal."""
