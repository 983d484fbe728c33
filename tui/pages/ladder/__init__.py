"""The Ladder page."""
