"""What a result was computed from, so that results of different data are never put side by side.

The fingerprint of a fit, in its `fit.json`, has the SHA-256 of the prepared table (`data`), the `formula` as R prints
it, and the versions of this library and of statsmodels (`library`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from twolevel.errors import UserError


def check_same_data(first: Mapping[str, Any], second: Mapping[str, Any], names: tuple[str, str]) -> None:
    """Refuse to put two results side by side that were not computed from the same data by the same library.

    Parameters
    ----------
    first, second : two `fit.json`
    names : what they are called

    Raises
    ------
    UserError
        Their fingerprints differ.
    """
    for key in ("data", "library"):
        one, other = first["fingerprint"][key], second["fingerprint"][key]
        if one != other:
            raise UserError(
                f"models {names[0]} and {names[1]} were fitted with different {key} ({one[:20]} and {other[:20]}). "
                f"Run snakemake again, so that both are fitted anew."
            )


def studied(
    comparisons: Mapping[str, Mapping[str, Any]], fits: Mapping[str, Mapping[str, Any]], models: Sequence[str]
) -> dict[str, Any]:
    """What a calibration is about: kept beside its results, to tell whether they are about the present fits.

    Parameters
    ----------
    comparisons : `comparison.json` of each comparison
    fits : `fit.json` of each model, those in `models` at least
    models : whose intervals are studied
    """
    keys = ("null_model", "alternative_model", "estimator", "fingerprints")
    return {
        "comparisons": {name: {key: result[key] for key in keys} for name, result in comparisons.items()},
        "models": {name: fits[name]["fingerprint"] for name in models},
    }


def is_current(
    about: Mapping[str, Any], comparisons: Mapping[str, Mapping[str, Any]], fits: Mapping[str, Mapping[str, Any]]
) -> bool:
    """Whether a calibration is about these comparisons and fits: the same models, of the same data."""
    models = list(about["models"])
    return set(models) <= set(fits) and studied(comparisons, fits, models).items() <= about.items()
