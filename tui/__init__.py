"""The terminal: commands and the Textual app."""
