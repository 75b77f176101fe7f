"""Evidence on the singular fit of mod3a, and on the model that was said to be impossible."""

from scipy.special import chdtrc
from twolevel.fitting.search import search, starts
from twolevel.likelihood.crossproducts import cross_products
from twolevel.model.formula import build_design
from twolevel.output.words import MINUS

from published.run import Finding, Run, said
from published.solution import NotThereError

MOD3A = "mathach ~ cses + minority + (cses + minority | school)"
WITHOUT_MINORITY = "mathach ~ cses + (cses + minority | school)"

# Searches for the optimum of the second, beside the two fixed ones.
RANDOM_STARTS, SEED = 4, 2002


def better_optimum(run: Run) -> Finding:
    """The printed criterion is that of the best point on lme4's bound; the optimum is elsewhere and not singular."""
    fit, face = run.fit("mod3a"), run.at_wall("mod3a")["fit"]
    criterion = ("mod3a", "REML criterion")
    shown = run.prints(face["criterion"], *criterion) and not run.prints(fit["criterion"], *criterion)
    sds = [said(point["random_effects_covariance"][1][1] ** 0.5) for point in (fit, face)]
    return Finding(
        shown and not fit["singular"],
        f"The source prints a criterion of {run.row(*criterion).printed}. The best point on lme4’s bound has "
        f"{said(face['criterion'])}, the optimum {said(fit['criterion'])}: {said(face['above_optimum'])} lower, and "
        f"{'singular' if fit['singular'] else 'not singular'}. The SD of the slopes of {fit['random_terms'][1]} is "
        f"{sds[0]} there, against {sds[1]} on the bound.",
    )


def bound_not_data(run: Run) -> Finding:
    """The small variance and the correlation of -1 belong to the bound: past it the criterion falls."""
    fit, story = run.fit("mod3a"), run.at_wall("mod3a")
    variances, correlations = (
        [point[matrix][1][column] for point in (fit, story["fit"])]
        for matrix, column in (("random_effects_covariance", 1), ("random_effects_correlation", 0))
    )
    wall = story["walls"][0]
    shown = (
        run.prints(variances[1], "mod3a", "variance", "school:cses")
        and run.prints(correlations[1], "mod3a", "random-effect correlation", "school:(Intercept),cses")
        and wall["derivative_column_flipped"] < 0
        and not fit["singular"]
    )
    return Finding(
        shown,
        f"At the optimum that variance is {said(variances[0], 4)} and the correlation {said(correlations[0])}; on the "
        f"bound they are {said(variances[1], 4)} and {said(correlations[1])}. Past the bound the criterion has the "
        f"derivative {said(wall['derivative_column_flipped'])}.",
    )


def variance_explained(run: Run) -> Finding:
    """The share of the level-1 variance is another at the optimum."""
    before, face = run.fit("model3")["sigma"] ** 2, run.at_wall("mod3a")["fit"]
    optimum, bound = (1 - point["sigma"] ** 2 / before for point in (run.fit("mod3a"), face))
    quantity = ("mod3a", "L1 variance explained (36.700-35.91)/36.700", "ratio")
    of_rounded = 1 - round(face["sigma"] ** 2, 2) / round(before, 3)
    return Finding(
        run.prints(of_rounded, *quantity) and optimum - bound > 0.001,
        f"The level-1 variance falls from {said(before)} to {said(run.fit('mod3a')['sigma'] ** 2)} at the optimum, by "
        f"{said(100 * optimum)} %; to {said(face['sigma'] ** 2)} on the bound, by {said(100 * bound)} % or, from "
        f"rounded variances as in the source, {said(100 * of_rounded)} %.",
    )


def correlations_printed(run: Run) -> Finding:
    """What the output has below the diagonal are correlations."""
    face = run.at_wall("mod3a")["fit"]
    pairs = {"(Intercept),cses": (1, 0), "(Intercept),minorityYes": (2, 0), "cses,minorityYes": (2, 1)}
    rows = [("mod3a", "random-effect correlation", f"school:{pair}") for pair in pairs]
    correlations, covariances = (
        [face[f"random_effects_{matrix}"][i][j] for i, j in pairs.values()] for matrix in ("correlation", "covariance")
    )
    shown = all(
        run.prints(correlation, *row) and not run.prints(covariance, *row)
        for correlation, covariance, row in zip(correlations, covariances, rows, strict=True)
    )
    printed = [run.row(*row).printed.replace("-", MINUS) for row in rows]
    return Finding(
        shown,
        f"The source prints {', '.join(printed)}. The correlations at that point are "
        f"{', '.join(said(value) for value in correlations)}, the covariances τ_10, τ_20 and τ_21 "
        f"{', '.join(said(value, 3) for value in covariances)}.",
    )


def slope_without_effect(run: Run) -> Finding:
    """A random slope without its fixed effect can be fitted: it is the null model of that effect."""
    fit = run.fit("mod3a")
    if fit["formula"] != MOD3A:
        raise NotThereError(f"mod3a is not {MOD3A}")
    data = cross_products(build_design(WITHOUT_MINORITY, run.observations))
    found = search(data, False, starts(data, RANDOM_STARTS, SEED))
    statistic = found.best.criterion - fit["ml"]["criterion"]
    p = float(chdtrc(1, statistic))
    return Finding(
        found.reached_best > 1 and statistic > 0,
        f"By ML `{WITHOUT_MINORITY}` has a −2 log-likelihood of {said(found.best.criterion, 3)}, where "
        f"{found.reached_best} of {len(found.runs)} searches ended; mod3a has {said(fit['ml']['criterion'], 3)}. So "
        f"the likelihood ratio statistic of the fixed effect is {said(statistic, 3)} on 1 df, "
        f"p {'< 0.0001' if p < 1e-4 else f'= {p:.4f}'}.",
    )
