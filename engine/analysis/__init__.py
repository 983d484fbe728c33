"""Analyses of models and songs: baselines, units, similar songs, copied text."""
