"""Sampling of lyrics and piano music from models."""
