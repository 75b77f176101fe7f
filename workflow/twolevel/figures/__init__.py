"""Figures, one module per kind: each has a `draw` that turns tables into a `Drawing`, and knows no file.

May use the packages up to output. Beside the kinds stands what they share: `drawing`, `style`, `tables`, `lighter`;
lines by least squares in `ols`, normal quantiles in `qq`.
"""
