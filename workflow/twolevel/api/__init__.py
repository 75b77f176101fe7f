"""What a notebook uses: a formula and a table in; a fit, its tests, intervals and predictions out, as tables.

May use every other package but figures and report. `import twolevel` gives its names: `fit`, `compare`, `Result`.

fitting     fit: a model as a Result
result      Result: everything that is computed from one fit
comparing   compare: two Results
checks      what a person can get wrong in a call
"""
