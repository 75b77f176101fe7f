"""Evidence on what the estimates and the residuals mean."""

import numpy as np
from published.run import Finding, Run, said
from twolevel.figures.qq import normal_quantile_plot
from twolevel.output.words import MINUS

# Of the residuals of a normal sample about 5 % lie outside the pointwise band; these are too many.
TOO_MANY = 0.10

# Equal slices of the fitted values, and beyond how many standard errors a difference is taken for real.
SLICES, BEYOND_CHANCE = 20, 3


def weaker_slope(run: Run) -> Finding:
    """The slope of SES is the weaker one in Catholic schools."""
    slope, difference = run.estimate("mod4", "cses"), run.estimate("mod4", "cses:sectorCatholic")
    printed = run.prints(difference, "mod4", "slope difference", "cses:sectorCatholic")
    return Finding(
        printed and abs(slope + difference) < abs(slope),
        f"Where mean SES is zero the slope of cses is {said(slope, 3)} in Public schools and {said(slope, 3)} "
        f"{MINUS if difference < 0 else '+'} {said(abs(difference), 3)} = {said(slope + difference, 3)} in Catholic "
        "schools.",
    )


def mean_of_reference(run: Run) -> Finding:
    """The intercept of the model with sector is the mean of the reference level, Public."""
    intercept, effect = (run.estimate("MAO_mod", term) for term in ("(Intercept)", "sectorCatholic"))
    outcome = run.column(run.fit("MAO_mod")["response"])
    means = outcome.groupby(run.observations[run.group], observed=True, sort=True).mean()
    of = means.groupby(run.by_group("sector"), observed=True).mean()
    nearest = min(of.index, key=lambda sector: abs(of[sector] - intercept))
    return Finding(
        run.prints(intercept, "MAO_mod", "fixed effect estimate", "(Intercept)") and nearest == "Public",
        f"γ_00 is estimated at {said(intercept, 3)}, γ_01 at {said(effect, 3)}, and so the sum at "
        f"{said(intercept + effect, 3)}. The schools’ means average "
        f"{' and '.join(f'{said(mean, 3)} in {sector} schools' for sector, mean in of.items())}.",
    )


def residuals_not_normal(run: Run) -> Finding:
    """The level-1 residuals have short tails, and less spread at both ends of the fitted values.

    In samples of n from a normal distribution the SD has a standard error of about 1 / sqrt(2 n) of itself, and the
    excess kurtosis one of about sqrt(24 / n).
    """
    fit = run.fit("model3")
    table = run.residuals["model3"].sort_values("fitted", kind="stable")
    residuals = table["residual"].to_numpy()
    plot = normal_quantile_plot(residuals)
    outside = float(np.mean((plot.sample < plot.lower) | (plot.sample > plot.upper)))
    z, n = (residuals - residuals.mean()) / residuals.std(), len(residuals)
    kurtosis = float(np.mean(z**4)) - 3
    spread = [part.std(ddof=1) for part in np.array_split(residuals, SLICES)]
    less = residuals.std(ddof=1) * (1 - BEYOND_CHANCE / np.sqrt(2 * n / SLICES))
    return Finding(
        run.prints(fit["criterion"], "model3", "REML criterion")
        and outside > TOO_MANY
        and kurtosis < -BEYOND_CHANCE * np.sqrt(24 / n)
        and max(spread[0], spread[-1]) < less,
        f"Of the level-1 residuals {said(100 * outside, 1)} % lie outside the band that holds each point of a normal "
        f"sample with probability 0.95; their excess kurtosis is {said(kurtosis)}, that of a normal "
        f"distribution 0. Over {SLICES} equal slices of the fitted values their SD is {said(spread[0])} in the lowest, "
        f"{said(max(spread))} at most and {said(spread[-1])} in the highest.",
    )
