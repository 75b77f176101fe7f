"""Evidence for claims about a source: one small function for each piece, what it computes and whether the claim holds.

`registry` has the functions by name; they stand in `optimum`, `estimates`, `notation`, `sampling`.
"""
