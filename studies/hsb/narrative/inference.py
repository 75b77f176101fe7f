"""What the vignette's inference from High School and Beyond leaves open, and what this run says of it."""

from math import isfinite

from twolevel.output.numbers import fine_p_phrase, fixed
from twolevel.report.comparison import Comparison
from twolevel.report.intervals import enough_replicates

from hsb.narrative.facts import Facts


def printed_intervals(facts: Facts) -> str:
    """How the vignette's bootstrap intervals compare, by the ledger's verdict on each bound."""
    model, bounds = facts.coefficients, facts.rows("model3", "bootstrap CI")
    if bounds.empty or not enough_replicates(model):
        return ""
    n = model.replicates.simulated - model.replicates.failed
    slope = next(of for of in model.intervals if of.parameter.name == ".sig03")
    printed = " to ".join(
        fixed(facts.printed("model3", f"bootstrap CI {bound}", ".sig03"), slope.places) for bound in ("2.5%", "97.5%")
    )
    outside = int((bounds["verdict"] != "monte_carlo").sum())
    verdict = "none differs here by more than that explains"
    if outside:
        verdict = f"{outside} of the {len(bounds)} {'differs' if outside == 1 else 'differ'} by more than that explains"
    # The vignette does not say how many samples: 500 is what lme4's confint(method = "boot") draws unless told.
    return (
        f"The vignette gives bootstrap intervals of {model.called} from 500 samples, for the SD of the slopes for "
        f"example {printed}. From {n:,} it is {slope.text('percentile')}. The bounds from so few samples are uncertain "
        f"themselves; {verdict}."
    )


def printed_test(facts: Facts, comparison: Comparison | None) -> str:
    """The bootstrap test that the vignette prints."""
    test = "mod3_int vs mod3_int_null"
    samples, p = facts.printed(test, "PBmodcomp PBtest samples"), facts.printed(test, "PBmodcomp p.value", "PBtest")
    if not isfinite(samples + p) or comparison is None or not comparison.enough:
        return ""
    n = comparison.simulated
    found = fine_p_phrase(comparison.p["PBtest"])
    if comparison.reached == 0:
        found = f"p = 1/{n + 1:,}, the smallest that so many can give"
    return (
        f"The vignette tests minority with a bootstrap of {samples:,.0f} samples, none of which reaches the data: it "
        f"reports p = {fixed(p, 3)}, the smallest that {samples:,.0f} can give. With {n:,} it is {found}."
    )


def omitted_test(comparison: Comparison) -> str:
    """The bootstrap test that the vignette leaves out."""
    if not comparison.enough:
        return ""
    lost = comparison.replicates - comparison.simulated
    worked = (
        f"Here both models were fitted to all {comparison.replicates:,} simulated data sets"
        if not lost
        else f"Here {lost:,} of {comparison.replicates:,} simulated data sets could not be fitted"
    )
    naive, simulated = comparison.p["LRT"], comparison.p["PBtest"]
    bears = "larger" if naive > simulated else "no larger"
    supposed = (
        "The vignette leaves out the bootstrap of the slope variance, because it takes long and has trouble "
        "converging, and supposes instead that the chi-square p value errs on the careful side."
    )
    return (
        f"{supposed} {worked}: the chi-square p value, {fixed(naive, 4)}, is {bears} than the simulated one, "
        f"{fixed(simulated, 4)}."
    )
