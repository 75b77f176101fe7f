"""A fit in the layout of lme4's `summary()`."""

from collections.abc import Sequence
from math import floor, log10

import numpy as np

from twolevel.fitting.fit import NOT_SEARCHED, Fit
from twolevel.model.blocks import slices
from twolevel.model.design import Design, Floats
from twolevel.model.parameters import correlation
from twolevel.output.results import block_names
from twolevel.output.rformat import MAX_CORRELATIONS, abbreviate, format_real

DIGITS = 4  # as R's print methods take them from options(digits = 7)


def summary_text(design: Design, fit: Fit, scaled_residuals: Floats, data_name: str) -> str:
    """Everything that lme4's `summary()` prints of a fit, in its layout, and what to know of a fit gone wrong."""
    reml = fit.estimator == "REML"
    parts = [
        f"Linear mixed model fit by {'REML' if reml else 'maximum likelihood '} ['lmerMod']",
        f"Formula: {design.formula}",
        *([f"   Data: {data_name}"] if data_name else []),
        "",
        *([f"REML criterion at convergence: {round(fit.criterion, 1):.15g}"] if reml else _ml_criteria(fit)),
        "",
        "Scaled residuals: ",
        *_quantiles(scaled_residuals),
        "",
        "Random effects:",
        *_random_effects(design, fit),
        f"Number of obs: {len(design.y)}, groups:  {design.group}, {len(design.group_labels)}",
        *_left_out(design),
        "",
        "Fixed effects:",
        *_fixed_effects(design, fit),
        *_fixed_effect_correlations(design, fit),
        *_messages(fit),
    ]
    return "\n".join(parts) + "\n"


def _ml_criteria(fit: Fit) -> list[str]:
    """What lme4's `.prt.aictab` prints."""
    names = ["AIC", "BIC", "logLik", "deviance", "df.resid"]
    criteria = [fit.aic, fit.bic, fit.log_likelihood, fit.criterion]
    values = [*format_real([round(value, 1) for value in criteria], 7), str(fit.n_obs - fit.npar)]
    return _under(names, values)


def _left_out(design: Design) -> list[str]:
    """Rows with a missing value, in the words of R's `summary()` of a linear model."""
    count = design.n_rows - len(design.y)
    missing = ", ".join(f"{name} {number}" for name, number in design.dropped.items())
    return [f"  ({count} observations deleted due to missingness: {missing})"] if count else []


def _quantiles(residuals: Floats) -> list[str]:
    quantiles = np.quantile(residuals, [0, 0.25, 0.5, 0.75, 1])
    largest = np.abs(quantiles).max()
    # As R's `zapsmall(x, DIGITS + 1)`, by which lme4 rounds them before it prints.
    decimals = max(0, floor(DIGITS + 1.5 - log10(largest))) if largest > 0 else DIGITS + 1
    values = format_real(np.round(quantiles, decimals).tolist(), DIGITS)
    return _under(["Min", "1Q", "Median", "3Q", "Max"], values)


def _under(names: list[str], values: list[str]) -> list[str]:
    """Values under their names, as R prints a vector that has names."""
    width = max(map(len, names + values))
    return ["".join(cell.rjust(width) + " " for cell in row) for row in (names, values)]


def _random_effects(design: Design, fit: Fit) -> list[str]:
    blocks, widest = design.blocks, max(design.blocks)
    variances = [*np.diag(fit.covariance), fit.sigma**2]
    names = zip(block_names(design.group, blocks), blocks, strict=True)
    columns = {
        "Groups": [*(cell for name, size in names for cell in (name, *[""] * (size - 1))), "Residual"],
        "Name": [*design.random_terms, ""],
        "Variance": format_real(variances, DIGITS),
        "Std.Dev.": format_real(np.sqrt(variances).tolist(), DIGITS),
    }
    rows = [list(columns), *map(list, zip(*columns.values(), strict=True))]
    if widest > 1:
        rows[0] += ["Corr", *[""] * (widest - 2)]
        for size, block in zip(blocks, slices(blocks), strict=True):
            within = np.round(correlation(fit.covariance[block, block]), 2)
            cells = format_real(within.ravel().tolist(), DIGITS, min_decimals=2)
            for i in range(size):
                rows[block.start + i + 1] += [cells[i * size + k] if k < i else "" for k in range(widest - 1)]
        rows[-1] += [""] * (widest - 1)
    return [" " + line for line in _left_justified(rows)]


def _fixed_effects(design: Design, fit: Fit) -> list[str]:
    std_error = np.sqrt(np.diag(fit.beta_covariance))
    both = [*fit.beta.tolist(), *std_error.tolist()]
    sizes = [abs(x) for x in both if x != 0]
    smallest = 1 + floor(log10(min(sizes))) if sizes else 0
    cells = format_real(np.round(both, max(1, DIGITS - smallest)).tolist(), DIGITS)
    statistics = format_real(np.round(fit.beta / std_error, 3).tolist(), DIGITS)
    p = len(fit.beta)
    rows = [["Estimate", "Std. Error", "t value"]]
    rows += [[cells[i], cells[p + i], statistics[i]] for i in range(p)]
    names = ["", *design.fixed_terms]
    widths = [max(len(row[k]) for row in rows) for k in range(3)]
    stub = max(map(len, names))
    return [
        name.ljust(stub) + "".join(" " + cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for name, row in zip(names, rows, strict=True)
    ]


def _fixed_effect_correlations(design: Design, fit: Fit) -> list[str]:
    p = len(fit.beta)
    if not 1 < p <= MAX_CORRELATIONS:
        return []
    cells = format_real(np.round(correlation(fit.beta_covariance), 3).ravel().tolist(), 7, min_decimals=3)
    heads, stubs = abbreviate(design.fixed_terms, 6), abbreviate(design.fixed_terms, 11)
    rows = [["", *heads[:-1]]]
    rows += [[stubs[i], *(cells[i * p + k] if k < i else "" for k in range(p - 1))] for i in range(1, p)]
    return ["", "Correlation of Fixed Effects:", *_left_justified(rows)]


def _messages(fit: Fit) -> list[str]:
    lines = ["boundary (singular) fit: a variance is zero or a correlation is 1 or -1"] if fit.singular else []
    if not fit.searched_by_mixedlm:
        lines.append(f"confirmed without a search: {NOT_SEARCHED}")
    return lines + [f"do not trust this fit: {doubt}" for doubt in fit.doubts]


def _left_justified(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return [" ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
