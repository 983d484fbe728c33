"""Pure view data: what the widgets draw, computed without Textual."""
