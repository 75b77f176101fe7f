"""The fit that lme4's bounds lead to, as the JSON of the results contract (docs/results.md)."""

from typing import Any

import numpy as np

from twolevel.fitting.fit import Fit
from twolevel.likelihood.crossproducts import CrossProducts
from twolevel.likelihood.deviance import evaluate, factor, pack
from twolevel.model.blocks import places
from twolevel.model.design import Design
from twolevel.model.parameters import finite
from twolevel.optimisers.bounded import BoundedFit
from twolevel.optimisers.face import FaceFit, column_flipped, criterion_along, optimum_on_face, theta_name, wall
from twolevel.optimisers.point import estimates_at, own_columns, to_lme4

# The criterion is shown from the wall to twice the optimum's own distance from it, and where that is nothing to this: a
# share of the residual SD, for a random effect of a column with a root mean square of one.
LEAST_REACH = 0.1
PATH_POINTS = 41


def constrained_json(design: Design, data: CrossProducts, fit: Fit, bounded: BoundedFit) -> dict[str, Any]:
    """Where the bounded search ended, and, if that is a face away from the optimum, the optimum on that face.

    A face is reported only where the optimum on it was found and the search came no lower. A search that stopped there
    for another reason was not stopped by the bound.

    Parameters
    ----------
    design, data : the model
    fit : its REML fit
    bounded : the bounded search, by REML
    """
    own = own_columns(data)
    story: dict[str, Any] = {
        "bounded_search": {
            "criterion": finite(bounded.criterion),
            "theta": bounded.theta.tolist(),
            "above_optimum": finite(bounded.criterion - fit.criterion),
            "status": bounded.status,
            "repeats_lme4": bounded.repeats_lme4,
        },
        "optimum": fit.criterion,
        "face": [],
        "fit": None,
        "walls": [],
    }
    if zero := wall(bounded, fit.criterion, own):
        face = optimum_on_face(own, zero, pack(own.s @ factor(bounded.theta, own.blocks), own.blocks))
        walls = [_wall(design, own, face, fit, i) for i in range(len(zero))]
        if face.explains(bounded) and all(map(_is_finite, walls)):
            story["face"] = [theta_name(element, data.blocks) for element in zero]
            story["fit"] = estimates_at(design, own, face.theta) | {
                "above_optimum": face.at.criterion - fit.criterion,
                "gradient_norm": face.gradient_norm,
            }
            story["walls"] = walls
    return story


def _wall(design: Design, data: CrossProducts, face: FaceFit, fit: Fit, i: int) -> dict[str, Any]:
    """One element at zero: the slope on both sides of it, and the criterion along the way away from it."""
    element = face.zero[i]
    own_scale = to_lme4(data)[element]
    at_optimum = float(fit.theta[element])
    values = np.linspace(0.0, max(2 * at_optimum, LEAST_REACH * own_scale), PATH_POINTS)
    flipped = column_flipped(face.theta, element, data.blocks)
    return {
        "element": theta_name(element, data.blocks),
        "term": design.random_terms[places(data.blocks)[0][element]],
        "derivative": float(face.derivatives[i]),
        "derivative_column_flipped": float(evaluate(flipped, data, reml=True)[1][element] / own_scale),
        "at_optimum": at_optimum,
        "path": {
            "value": values.tolist(),
            "criterion": criterion_along(data, face.theta, element, values / own_scale).tolist(),
            "criterion_column_flipped": criterion_along(data, flipped, element, values / own_scale).tolist(),
        },
    }


def _is_finite(wall: dict[str, Any]) -> bool:
    slopes = wall["derivative"], wall["derivative_column_flipped"]
    return bool(np.isfinite([*slopes, *wall["path"]["criterion"], *wall["path"]["criterion_column_flipped"]]).all())
