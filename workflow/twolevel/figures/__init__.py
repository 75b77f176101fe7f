"""Figures, one module per kind: each has a `draw` that turns tables into a `Drawing`, and knows no file.

May use the packages up to output. The kinds share `drawing`, `style`, `tables` and `lighter`, lines by least squares in
`ols`, and normal quantiles in `qq`.
"""
