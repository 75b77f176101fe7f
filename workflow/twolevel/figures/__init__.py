"""Figures, one module per kind: each has a `draw` that turns tables into a `Drawing`, and knows no file."""
