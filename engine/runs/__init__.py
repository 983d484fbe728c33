"""Runs on disk: their directories and events."""
