"""Evidence on the singular fit of mod3a, and on the model that was said to be impossible."""

from published.run import Finding, Run, said
from published.solution import NotThereError
from scipy.special import chdtrc
from twolevel.fitting.search import search, starts
from twolevel.likelihood.crossproducts import cross_products
from twolevel.model.formula import build_design
from twolevel.output.words import MINUS

MOD3A = "mathach ~ cses + minority + (cses + minority | school)"
WITHOUT_MINORITY = "mathach ~ cses + (cses + minority | school)"

# Searches for the optimum of the second, beside the two fixed ones.
RANDOM_STARTS, SEED = 4, 2002


def better_optimum(run: Run) -> Finding:
    """The printed fit is the best point on lme4's bound, and what was read off it is another at the optimum."""
    fit, face = run.fit("mod3a"), run.at_wall("mod3a")["fit"]
    criterion, share = ("mod3a", "REML criterion"), ("mod3a", "L1 variance explained (36.700-35.91)/36.700", "ratio")
    correlation = ("mod3a", "random-effect correlation", "school:(Intercept),cses")
    before = run.fit("model3")["sigma"] ** 2
    shares = [1 - point["sigma"] ** 2 / before for point in (fit, face)]
    variances, correlations = (
        [point[f"random_effects_{matrix}"][1][column] for point in (fit, face)]
        for matrix, column in (("covariance", 1), ("correlation", 0))
    )
    shown = (
        run.prints(face["criterion"], *criterion)
        and not run.prints(fit["criterion"], *criterion)
        and run.prints(variances[1], "mod3a", "variance", "school:cses")
        and run.prints(correlations[1], *correlation)
        and run.prints(1 - round(face["sigma"] ** 2, 2) / round(before, 3), *share)
        and shares[0] - shares[1] > 0.001
        and not fit["singular"]
    )
    return Finding(
        shown,
        f"The source prints a criterion of {run.row(*criterion).printed}, which is that of the best point on lme4’s "
        f"bound, {said(face['criterion'])}. The optimum has {said(fit['criterion'])}: {said(face['above_optimum'])} "
        f"lower, and {'singular' if fit['singular'] else 'not singular'}. There the variance of the slopes is "
        f"{said(variances[0])} and their correlation with the intercepts {said(correlations[0])}, against "
        f"{said(variances[1])} and {said(correlations[1])} on the bound; and minority explains "
        f"{said(100 * shares[0])} % of the level-1 variance, against {said(100 * shares[1])} %.",
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
