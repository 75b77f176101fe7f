"""A fit as the tables and the JSON of the results contract (docs/results.md)."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from twolevel.fitting.effects import GroupEffects
from twolevel.fitting.fit import Fit
from twolevel.inference.fixed_tests import FixedTests, kenward_roger, satterthwaite, t_tests
from twolevel.inference.influence import Influence
from twolevel.inference.r2 import variance_shares
from twolevel.likelihood.crossproducts import CrossProducts
from twolevel.model.blocks import Blocks, slices
from twolevel.model.design import Design, Floats
from twolevel.model.hierarchy import level1_coefficients
from twolevel.model.parameters import correlation, correlation_rows, finite, parameter_values, parameters

if TYPE_CHECKING:
    from twolevel.optimisers.bounded import BoundedFit  # which imports nlopt: only fit.json is about its search


def block_names(group: str, blocks: Blocks) -> list[str]:
    """What lme4 calls the grouping factor of each block of random effects: `g`, `g.1`, `g.2`."""
    return [group if number == 0 else f"{group}.{number}" for number in range(len(blocks))]


def fit_json(
    design: Design, record: Fit, other: Fit, bounded: "BoundedFit", residuals: Floats, fingerprint: Mapping[str, str]
) -> dict[str, Any]:
    """Everything about a model that is not a table: the fit of record, and beside it the one by the other estimator.

    That is under `ml` where the fit of record is by REML, else under `reml`; `bounded` is by the estimator of record.
    `fingerprint` says what they were computed from (docs/results.md).
    """
    notes = notes_on(design)
    about = {
        "formula": design.formula,
        "group": design.group,
        "response": design.response,
        "n_obs": len(design.y),
        "columns": list(design.columns),
        "left_out": {"rows": design.n_rows - len(design.y), "missing": dict(design.dropped)},
        "n_groups": len(design.group_labels),
        "fixed_terms": list(design.fixed_terms),
        "random_terms": list(design.random_terms),
        "blocks": list(design.blocks),
        "hierarchy": _hierarchy(design),
        "meanings": {name: asdict(meaning) for name, meaning in design.meanings.items()},
        "fingerprint": fingerprint,
        "scaled_residual_quantiles": np.quantile(residuals / record.sigma, [0, 0.25, 0.5, 0.75, 1]).tolist(),
        "shares": asdict(variance_shares(design, record)),
        **({"notes": notes} if notes else {}),
    }
    story = _story(record) | {
        "defaults": {
            "lme4_bounds": {
                **_for_json(bounded),
                "call": "NLopt BOBYQA from theta = I, diagonal of theta bounded at zero",
                "criterion": finite(bounded.criterion),
                "repeats_lme4": bounded.repeats_lme4,
            },
        }
    }
    return (
        about
        | estimates(record, design.blocks)
        | {"optimiser": story, other.estimator.lower(): estimates(other, design.blocks) | {"optimiser": _story(other)}}
    )


def notes_on(design: Design) -> list[str]:
    """What to know of a model of such data, however well it is fitted."""
    y = design.y + design.offset
    low, high = y.min(), y.max()
    if not np.isin(y, (low, high)).all():
        return []
    return [
        f"The response {design.response} has two values only, {low:.15g} and {high:.15g}. A linear model of it "
        "predicts means, some of them perhaps beyond both values, and its residuals can be neither normal nor of one "
        "variance. A logistic mixed model, which this pipeline does not fit, is made for such a response."
    ]


def fixed_effects_table(design: Design, data: CrossProducts, fit: Fit) -> pd.DataFrame:
    """Fixed effects with their tests by Satterthwaite's method, and by Kenward and Roger's where the fit is by REML."""
    plain, missing = t_tests(satterthwaite(data, fit)), np.full(len(fit.beta), np.nan)
    reml = fit.estimator == "REML"
    adjusted = t_tests(kenward_roger(data, fit)) if reml else FixedTests(fit.beta, *[missing] * 4)
    of_kenward_roger = {f"kr_{name}": values for name, values in vars(adjusted).items() if name != "estimate"}
    return pd.DataFrame({"term": design.fixed_terms, **vars(plain), **of_kenward_roger})


def random_effects_table(design: Design, fit: Fit) -> pd.DataFrame:
    """Variances and covariances, standard deviations and correlations, as `as.data.frame(VarCorr(fit))` has them.

    Blocks of independent random effects follow one another, under lme4's names: `g`, `g.1`, `g.2`.
    """
    terms, sds, correlations = design.random_terms, np.sqrt(np.diag(fit.covariance)), correlation(fit.covariance)
    rows: list[tuple[str, str, str, float, float]] = []
    for group, block in zip(block_names(design.group, design.blocks), slices(design.blocks), strict=True):
        effects = range(len(terms))[block]
        pairs = [(a, b) for a in effects for b in effects if a < b]
        rows += [(group, terms[i], "", fit.covariance[i, i], sds[i]) for i in effects]
        rows += [(group, terms[a], terms[b], fit.covariance[a, b], correlations[a, b]) for a, b in pairs]
    rows += [("Residual", "", "", fit.sigma**2, fit.sigma)]
    return pd.DataFrame(rows, columns=["group", "term_1", "term_2", "vcov", "sdcor"])


def group_effects_table(design: Design, effects: GroupEffects) -> pd.DataFrame:
    """Empirical Bayes effects and coefficients, a row for each group and term."""
    q = len(design.random_terms)
    return pd.DataFrame(
        {
            "group": np.repeat(design.group_labels, q),
            "term": np.tile(design.random_terms, len(design.group_labels)),
            **{name: values.ravel() for name, values in vars(effects).items()},
        }
    )


def influence_table(design: Design, data: CrossProducts, fit: Fit, found: Influence) -> pd.DataFrame:
    """Estimates without each group: fixed effects with the variances held, then every parameter of the refits."""
    names = [of.name for of in parameters(design.random_terms, design.fixed_terms, design.blocks)]
    p, labels = len(fit.beta), np.asarray(design.group_labels)
    own = parameter_values(data.own_units(fit.lower), fit.sigma, fit.beta, design.blocks)
    held = {
        "group": np.repeat(labels, p),
        "components": "held",
        "cooks_distance": np.repeat(found.cooks_distance, p),
        "parameter": np.tile(names[-p:], len(labels)),
        "estimate": np.tile(fit.beta, len(labels)),
        "without": found.beta.ravel(),
    }
    refitted = (
        {
            "group": labels[refit.group],
            "components": "refitted",
            "cooks_distance": refit.cooks_distance,
            "parameter": names,
            "estimate": own,
            "without": refit.parameters,
        }
        for refit in found.refits
    )
    return pd.concat([pd.DataFrame(of) for of in (held, *refitted)], ignore_index=True)


def residuals_table(design: Design, fit: Fit, fitted: Floats) -> pd.DataFrame:
    """Fitted values and residuals, a row for each observation used, with its row number in the prepared table.

    Parameters
    ----------
    fitted : (n,) X beta + Z u; the offset is added
    """
    residual = design.y - fitted
    return pd.DataFrame(
        {
            "row": design.rows,
            design.group: np.asarray(design.group_labels)[design.group_index],
            "fitted": fitted + design.offset,
            "residual": residual,
            "scaled_residual": residual / fit.sigma,
        }
    )


def _hierarchy(design: Design) -> list[dict[str, Any]]:
    """Each level-1 coefficient: its term, the fixed effects that predict it, its random effect."""
    return [
        {
            "term": coefficient.name,
            "factors": list(coefficient.factors),
            "predictors": [
                [column, list(factors)]
                for column, factors in zip(coefficient.columns, coefficient.predictors, strict=True)
            ],
            "random": coefficient.random,
        }
        for coefficient in level1_coefficients(design)
    ]


def estimates(fit: Fit, blocks: Blocks) -> dict[str, Any]:
    """The estimates by one estimator, as `fit.json` has them."""
    return {
        "estimator": fit.estimator,
        "criterion": fit.criterion,
        "log_likelihood": fit.log_likelihood,
        "npar": fit.npar,
        "aic": fit.aic,
        "aicc": finite(fit.aicc),
        "bic": fit.bic,
        "theta": fit.theta.tolist(),
        "sigma": fit.sigma,
        "fixed_effects": fit.beta.tolist(),
        "fixed_effects_covariance": fit.beta_covariance.tolist(),
        "random_effects_covariance": fit.covariance.tolist(),
        "random_effects_correlation": correlation_rows(fit.covariance, blocks),
        "singular": fit.singular,
        "trustworthy": fit.trustworthy,
        "doubts": list(fit.doubts),
    }


def _story(fit: Fit) -> dict[str, Any]:
    record = fit.record
    if record is None:
        raise ValueError("fit.json tells where MixedLM ended, and it was not asked: call `confirm`")
    return {
        "best": _for_json(fit.search.best),
        "runs": [_for_json(run) for run in fit.search.runs],
        "optima": list(fit.search.optima),
        "reached_best": fit.search.reached_best,
        "mixedlm": {
            "criterion": finite(record.criterion),
            "difference": finite(record.criterion - fit.at.criterion),
            "converged": record.converged,
            "messages": list(record.messages),
        },
    }


def _for_json(found: Any) -> dict[str, Any]:
    """The attributes of a dataclass, its arrays as lists."""
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in vars(found).items()}
