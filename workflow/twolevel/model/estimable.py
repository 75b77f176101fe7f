"""Random effects that cannot be estimated, seen from the columns of Z alone."""

import numpy as np

from twolevel.errors import UserError
from twolevel.model.blocks import slices
from twolevel.model.design import Design

# A column of Z of which others leave less than this share adds nothing to them.
REDUNDANT = 1e-9


def check_blocks(design: Design) -> None:
    """Refuse random effects that are combinations of others in their block, or that stand in two blocks.

    Raises
    ------
    UserError
        A random effect cannot be estimated, or its variance is in the model twice.
    """
    scaled = design.z / np.maximum(np.linalg.norm(design.z, axis=0), np.finfo(float).tiny)
    terms = design.random_terms
    for block in slices(design.blocks):
        left = np.abs(np.diag(np.linalg.qr(scaled[:, block], mode="r")))
        redundant = [term for term, size in zip(terms[block], left, strict=True) if size < REDUNDANT]
        if redundant:
            raise UserError(
                f"formula '{design.formula}': random effect {', '.join(redundant)} is a combination of the others in "
                f"its term in these data, so it cannot be estimated. Take it out of the term."
            )
    number = np.repeat(np.arange(len(design.blocks)), design.blocks)
    for a, b in np.argwhere(number[:, None] < number).tolist():
        if np.linalg.norm(scaled[:, b] - (scaled[:, a] @ scaled[:, b]) * scaled[:, a]) < REDUNDANT:
            same = terms[a] if terms[a] == terms[b] else f"{terms[a]}, of which {terms[b]} is a multiple,"
            raise UserError(
                f"formula '{design.formula}': the random effect {same} stands in two independent terms, so that its "
                f"variance is in the model twice and only the sum could be estimated. Keep it in one of them."
            )
