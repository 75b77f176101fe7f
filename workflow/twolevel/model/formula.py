"""From an lme4 formula and a table to the design matrices of a two-level model."""

import re
from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from formulae import model_description
from formulae.environment import Environment
from formulae.matrices import DesignMatrices
from formulae.terms import Intercept, Model, Term

from twolevel.errors import UserError
from twolevel.model.design import Design, Factors, Floats

# What a formula may call, under R's names; I() is formulae's own. Its other transforms are refused: some differ from
# R's functions of the same name (scale), some mean another thing altogether (offset).
FUNCTIONS = {"log": np.log, "exp": np.exp, "sqrt": np.sqrt}


def build_design(formula: str, table: pd.DataFrame) -> Design:
    """Evaluate an lme4 formula with one grouping column on a table.

    Factors are treatment-coded against their first level. Columns stand in R's order, main effects before
    interactions.

    Raises
    ------
    UserError
        The formula cannot be read, is not a two-level model with one grouping column, names a column that the
        table lacks, or makes a design from which the model cannot be estimated.
    """
    description = _parse(formula)
    group = _grouping_column(formula, description)
    used = sorted(name for name in description.var_names if name)  # a literal in a call has an empty name
    if absent := [name for name in used if name not in table.columns]:
        raise UserError(
            f"formula '{formula}': no column {', '.join(absent)} in the data, which has "
            f"{', '.join(map(str, table.columns))}. Correct the name, or add the column under 'derive' in the config."
        )
    rows = table[used]
    if missing := [name for name in used if rows[name].isna().any()]:
        raise UserError(
            f"formula '{formula}': values are missing in {', '.join(missing)}. Remove or impute them first."
        )
    random_part = Model(*(term.expr for term in description.group_terms))
    fixed_part = Model(*description.common_terms, response=description.response)
    fixed, random = (_evaluate(formula, part, rows) for part in (fixed_part, random_part))
    columns, random_columns = _columns(fixed), _columns(random)
    if not columns or not random_columns:
        raise UserError(f"formula '{formula}': it needs at least one fixed and one random effect.")
    index, labels = pd.factorize(rows[group])
    design = Design(
        formula=spaced_as_r(formula),
        response=str(description.response.term.name),
        group=group,
        fixed_factors=tuple(columns),
        random_factors=tuple(random_columns),
        y=_response(formula, fixed),
        x=np.column_stack([*columns.values()]),
        z=np.column_stack([*random_columns.values()]),
        factors=_single_factors(fixed) | _single_factors(random),
        group_index=index,
        group_labels=tuple(map(str, labels)),
    )
    _check_estimable(design)
    return design


def spaced_as_r(formula: str) -> str:
    """Space a formula as R prints it: `y ~ a * b + a:c + (a | g)`. Names in backticks stay as they are."""
    parts = re.split(r"(`[^`]*`)", formula)
    for i in range(0, len(parts), 2):
        parts[i] = re.sub(r"\s*(\*\*|[~+*|/-])\s*", r" \1 ", parts[i])
        parts[i] = re.sub(r"\s*:\s*", ":", parts[i])
    return re.sub(r"\s+", " ", "".join(parts)).strip()


def _parse(formula: str) -> Model:
    unquoted = re.sub(r"`[^`]*`", "", formula)
    if unquoted.count("|") > 1:
        raise UserError(
            f"formula '{formula}': uncorrelated random effects, '||' or several terms with '|', are not supported. "
            f"Write one term, (1 + x | g): correlations are estimated."
        )
    unknown = sorted(set(re.findall(r"([\w.]+)\s*\(", unquoted)) - {*FUNCTIONS, "I"})
    if unknown:
        raise UserError(
            f"formula '{formula}': {', '.join(unknown)}() is not supported; a formula may call "
            f"{', '.join(FUNCTIONS)} and I. Other columns can be made in the data beforehand."
        )
    try:
        description = model_description(formula)
    except Exception as error:  # formulae raises its own and built-in types, some of them bare Exceptions
        expected = "Expected for example: y ~ x + (x | g), or (0 + x | g) for a slope alone."
        message = f"formula '{formula}' cannot be read: {str(error).rstrip('.')}. {expected}"
        raise UserError(message) from error
    if description.response is None:
        raise UserError(f"formula '{formula}': there is no response. Expected for example: y ~ x + (x | g).")
    return description


def _grouping_column(formula: str, description: Model) -> str:
    names = sorted({str(term.factor.name) for term in description.group_terms})
    if len(names) != 1:
        found = f"{len(names)} grouping factors ({', '.join(names)})" if names else "no random effects"
        raise UserError(f"formula '{formula}': {found}; expected one term like (x | g) with one grouping column g.")
    if names[0] not in description.var_names:
        raise UserError(f"formula '{formula}': '{names[0]}' is not a column; a group must be one column of the data.")
    return names[0]


def _evaluate(formula: str, part: Model, rows: pd.DataFrame) -> DesignMatrices:
    try:
        with np.errstate(all="ignore"):  # values that are not finite are refused below, with a message of their own
            return DesignMatrices(part, rows, Environment([FUNCTIONS]))
    except Exception as error:  # whatever a person's expression raises on their data
        raise UserError(f"formula '{formula}' cannot be evaluated on the data: {error}.") from error


def _response(formula: str, fixed: DesignMatrices) -> Floats:
    y = np.asarray(fixed.response.design_matrix, dtype=float)
    if y.ndim != 1 or fixed.response.kind != "numeric":
        raise UserError(f"formula '{formula}': the response must be one numeric column.")
    return y


def _columns(matrices: DesignMatrices) -> dict[Factors, Floats]:
    """All columns of the common part, by their factors, main effects first."""
    columns: dict[Factors, Floats] = {}
    terms = matrices.common.terms.values() if matrices.common is not None else []
    for term in sorted(terms, key=lambda term: 0 if isinstance(term, Intercept) else len(term.components)):
        if isinstance(term, Intercept):
            columns[()] = np.ones(len(matrices.data))
            continue
        parts = [_contrasts(component) for component in term.components]
        # R varies the first factor's levels fastest, itertools the last's.
        made = {}
        for combination in product(*(part.items() for part in reversed(parts))):
            names, values = zip(*reversed(combination), strict=True)
            made[names] = np.prod(values, axis=0)
        _check_same_columns(term, made)
        columns |= made
    return columns


def _check_same_columns(term: Term, made: Mapping[Factors, Floats]) -> None:
    # formulae 0.9 overwrites a factor's coding where terms of one formula need two codings of it, as without an
    # intercept; its own column names are then wrong too.
    theirs = np.asarray(term.data, dtype=float).reshape(len(term.data), -1)
    ours = np.column_stack([*made.values()])
    sums, our_sums = (np.sort(columns.sum(axis=0)) for columns in (theirs, ours))
    if theirs.shape != ours.shape or not np.allclose(sums, our_sums, equal_nan=True):
        raise UserError(
            f"term '{term.name}': a factor is coded in two ways in one formula, which is not supported. "
            f"Keep the intercept, and the main effect of every factor that interacts."
        )


def _single_factors(matrices: DesignMatrices) -> dict[str, Floats]:
    terms = matrices.common.terms.values() if matrices.common is not None else []
    components = [component for term in terms if isinstance(term, Term) for component in term.components]
    return {name: values for component in components for name, values in _contrasts(component).items()}


def _contrasts(component: Any) -> dict[str, Floats]:
    """Columns of one variable of a term, named as R names them: `ses`, or `sectorCatholic` for a factor."""
    name, labels = component.name, component.labels
    values = np.asarray(component.value, dtype=float).reshape(-1, len(labels))
    plain = (f"{name}{label[len(name) + 1 : -1]}" if label != name else name for label in labels)
    return dict(zip(plain, values.T, strict=True))


def _check_estimable(design: Design) -> None:
    n_groups, q = len(design.group_labels), design.z.shape[1]
    if not np.isfinite(design.x).all() or not np.isfinite(design.z).all() or not np.isfinite(design.y).all():
        raise UserError(f"formula '{design.formula}': it gives values that are not finite. Check its functions.")
    if n_groups < 2:
        raise UserError(f"formula '{design.formula}': the data have {n_groups} {design.group}; at least 2 are needed.")
    _check_response(design)
    for what, matrix, names in (("fixed", design.x, design.fixed_terms), ("random", design.z, design.random_terms)):
        if redundant := _redundant(matrix, names):
            raise UserError(
                f"formula '{design.formula}': {what} effect {', '.join(redundant)} is a combination of the "
                f"others in these data, so it cannot be estimated. Take it out of the formula."
            )
    if len(design.y) <= n_groups * q:
        raise UserError(
            f"formula '{design.formula}': {len(design.y)} observations cannot identify {q} random effects in each of "
            f"{n_groups} groups beside the residual variance. Use fewer random effects."
        )


def _check_response(design: Design) -> None:
    lowest, highest = (np.full(len(design.group_labels), start) for start in (np.inf, -np.inf))
    np.minimum.at(lowest, design.group_index, design.y)
    np.maximum.at(highest, design.group_index, design.y)
    if (lowest == highest).all():
        raise UserError(
            f"formula '{design.formula}': {design.response} has one value in each {design.group}; a response must vary "
            f"within groups."
        )
    basis = np.linalg.qr(design.x)[0]
    if np.linalg.norm(design.y - basis @ (basis.T @ design.y)) < 1e-9 * np.linalg.norm(design.y):
        raise UserError(
            f"formula '{design.formula}': the fixed effects give {design.response} exactly. Is it its own predictor?"
        )


def _redundant(matrix: Floats, names: Iterable[str]) -> list[str]:
    """Columns that add nothing to those before them, to a relative tolerance of 1e-9."""
    scaled = matrix / np.maximum(np.linalg.norm(matrix, axis=0), np.finfo(float).tiny)
    diagonal = np.abs(np.diag(np.linalg.qr(scaled, mode="r")))
    return [name for name, size in zip(names, diagonal, strict=True) if size < 1e-9]
