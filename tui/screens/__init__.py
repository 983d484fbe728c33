"""The pages and dialogs of the app."""
