"""The Lyrics page."""
