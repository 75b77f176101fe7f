"""A model or a test as code for R: lme4, with lmerTest for the t tests."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from twolevel.model.expression import quoted
from twolevel.output.prepared import Prepared, Snippet, text
from twolevel.output.words import ELSEWHERE

Fit = Mapping[str, Any]

# What R needs for those of our functions that its base lacks.
_NEEDS = {
    "bs(": "library(splines)",
    "ns(": "library(splines)",
    "center(": "center <- function(x) x - mean(x, na.rm = TRUE)",
}

# A data set simulated from the null model takes lme4 two fits.
SIMULATIONS = 1000


def r_model(fit: Fit, table: Prepared) -> Snippet:
    """Code that fits a model, prints its summary and intervals, and plots its residuals."""
    reml = fit["estimator"] == "REML"
    tests = "summary(model)"
    if fit["singular"] and reml:
        tests = 'summary(model, ddf = "Kenward-Roger")  # Satterthwaite\'s method has no answer at a singular fit'
    lines = [
        *_opening("lmerTest", "lme4, with t tests", (fit,), table),
        *_assigned("model", fit, reml=reml),
        f"{'REMLcrit' if reml else 'deviance'}(model)  # {fit['criterion']:.4f}",
        tests,
        'confint(model, method = "Wald")  # method = "boot" simulates, which takes minutes',
        "plot(fitted(model), residuals(model))",
        "qqnorm(residuals(model))",
    ]
    return Snippet("R, lme4", "\n".join(lines), _about_search([fit]))


def r_test(null: Fit, alternative: Fit, estimator: str, added: int, df: int, table: Prepared) -> Snippet:
    """Code for a likelihood ratio test: by chi-square, by the mixture where one effect is added, and by bootstrap."""
    reml = estimator == "REML"
    lines = [
        *_opening("lme4", "", (null, alternative), table),
        *_assigned("null", null, reml=reml),
        *_assigned("alternative", alternative, reml=reml),
        "test <- anova(null, alternative, refit = FALSE)",
        "test",
    ]
    if added == 1:
        lines += ["# The 50:50 mixture", f"mean(pchisq(test$Chisq[2], df = c({df - 1}, {df}), lower.tail = FALSE))"]
    lines += [
        "# The bootstrap, which can take an hour",
        f"simulated <- sapply(simulate(null, nsim = {SIMULATIONS}, seed = 1), function(y)",
        "  as.numeric(2 * (logLik(refit(alternative, y)) - logLik(refit(null, y)))))",
        "(1 + sum(simulated >= test$Chisq[2])) / (1 + length(simulated))",
    ]
    return Snippet("R, lme4", "\n".join(lines), _about_search([null, alternative]))


def _opening(package: str, about: str, fits: Iterable[Fit], table: Prepared) -> Iterator[str]:
    """The package, the table, and the levels of its factors in our order."""
    fits = [*fits]
    yield f"library({package})" + (f"  # {about}" if about else "")
    formulas = " ".join(fit["formula"] for fit in fits)
    yield from dict.fromkeys(line for name, line in _NEEDS.items() if name in formulas)
    factors = table.factors(fits)
    texts = ", ".join(f'{quoted(column)} = "character"' for column in (table.group, *factors))
    yield f'data <- read.csv({text(table.csv)}, check.names = FALSE, na.strings = "",'
    yield f"  colClasses = c({texts}))"
    for column, levels in factors.items():
        yield f"data${quoted(column)} <- factor(data${quoted(column)}, levels = c({', '.join(map(text, levels))}))"


def _assigned(name: str, fit: Fit, *, reml: bool) -> Iterator[str]:
    yield f"{name} <- lmer({fit['formula']},"
    control = ', control = lmerControl(optimizer = "bobyqa")' if default_fails(fit) else ""
    yield f"  data = data, REML = {'TRUE' if reml else 'FALSE'}{control})"


def default_fails(fit: Fit) -> bool:
    """Whether lme4's default optimiser is known to stop above the optimum, or cannot be told not to."""
    default = fit["optimiser"]["defaults"]["lme4_bounds"]
    above = None if default["criterion"] is None else default["criterion"] - fit["criterion"]
    return above is None or above > ELSEWHERE or not default["repeats_lme4"]


def _about_search(fits: Iterable[Fit]) -> str:
    if not any(map(default_fails, fits)):
        return ""
    return (
        "lme4’s default optimiser may stop above the optimum here; bobyqa is another of its optimisers. Compare the "
        "criterion with the one on this page. Where R’s is higher, allFit() tries every optimiser."
    )
