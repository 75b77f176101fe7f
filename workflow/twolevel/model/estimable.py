"""Designs from which a model cannot be estimated."""

from collections.abc import Iterable

import numpy as np

from twolevel.errors import UserError
from twolevel.model.blocks import slices
from twolevel.model.design import Design, Floats

# A column counts as redundant where the others explain all but this share of it.
REDUNDANT = 1e-9


def check_estimable(design: Design) -> None:
    """Refuse a design from which the model cannot be estimated.

    Raises
    ------
    UserError
        Too few groups or observations, a response that does not vary within groups, columns that depend on one another.
    """
    n_groups = len(design.group_labels)
    if n_groups < 2:
        raise UserError(
            f"formula '{design.formula}': {design.group} has only {n_groups} group; a model needs 2 or more."
        )
    _check_names(design)
    _check_response(design)
    if redundant := _redundant(of_length_one(design.x), design.fixed_terms):
        one = len(redundant) == 1
        mend = "Take it out" if one else "Take them out"
        cells = (
            " For the mean of every cell of factors, leave the intercept out: 0 + a:b." if ":" in redundant[0] else ""
        )
        raise UserError(
            f"formula '{design.formula}': fixed effect {', '.join(redundant)} is a combination of the others in these "
            f"data, so it cannot be estimated. {mend} of the formula.{cells}"
        )
    check_blocks(design)
    if len(design.y) <= n_groups * (q := max(design.blocks)):
        raise UserError(
            f"formula '{design.formula}': {len(design.y)} observations cannot identify {q} random effects in each of "
            f"{n_groups} groups beside the residual variance. Use fewer random effects."
        )


def check_blocks(design: Design) -> None:
    """Refuse random effects that are combinations of others in their block, or that stand in two blocks.

    Raises
    ------
    UserError
        A random effect cannot be estimated, or its variance is in the model twice.
    """
    scaled = of_length_one(design.z)
    terms = design.random_terms
    for block in slices(design.blocks):
        if redundant := _redundant(scaled[:, block], terms[block]):
            raise UserError(
                f"formula '{design.formula}': random effect {', '.join(redundant)} is a combination of the others in "
                f"its term in these data, so it cannot be estimated. Take it out of the term."
            )
    number = np.repeat(np.arange(len(design.blocks)), design.blocks)
    for a, b in np.argwhere(number[:, None] < number).tolist():
        if np.linalg.norm(scaled[:, b] - (scaled[:, a] @ scaled[:, b]) * scaled[:, a]) < REDUNDANT:
            same = terms[a] if terms[a] == terms[b] else f"{terms[a]}, of which {terms[b]} is a multiple,"
            raise UserError(
                f"formula '{design.formula}': the random effect {same} occurs in two independent terms, so that its "
                f"variance is in the model twice and only the sum could be estimated. Keep it in one of them."
            )


def _check_names(design: Design) -> None:
    for what, names in (("fixed", design.fixed_terms), ("random", design.random_terms)):
        if twice := [name for i, name in enumerate(names) if name in names[:i]]:
            raise UserError(
                f"formula '{design.formula}': the {what} effect {twice[0]} occurs twice. Take one out, or rename "
                "a column or a level where two different ones have the same name."
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


def _redundant(scaled: Floats, names: Iterable[str]) -> list[str]:
    """Columns, of length one, that add nothing to those before them."""
    left = np.abs(np.diag(np.linalg.qr(scaled, mode="r")))
    return [name for name, size in zip(names, left, strict=True) if size < REDUNDANT]


def of_length_one(matrix: Floats) -> Floats:
    """The columns of a matrix, each divided by its length; one of zeros stays."""
    return np.asarray(matrix / np.maximum(np.linalg.norm(matrix, axis=0), np.finfo(float).tiny))
