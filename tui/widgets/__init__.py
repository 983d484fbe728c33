"""Widgets and dialogs that several pages share."""
