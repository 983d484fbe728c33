"""Checks and times training on a GPU: `python -m docs.gpu` on a machine that has one."""
