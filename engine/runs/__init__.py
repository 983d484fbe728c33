"""Runs on disk: directories, events and their log."""
