"""What the vignette's inference from High School and Beyond leaves open, and what this run says of it."""

from twolevel.report.comparison import Comparison
from twolevel.report.intervals import enough_replicates
from twolevel.report.model import Model
from twolevel.report.numbers import fine_p_phrase, fixed

# Its bootstrap intervals of model3, from 500 samples, and what its bootstrap test of minority says of 1,000.
PRINTED_INTERVALS = {
    ".sig01": (2.5968018, 3.2927604),
    ".sig02": (-0.3022129, 0.4414194),
    ".sig03": (0.4346349, 1.1285269),
    ".sigma": (5.9544060, 6.1672046),
    "(Intercept)": (12.1208481, 13.1124875),
    "cses": (1.9523704, 2.4369979),
}
INTERVAL_SAMPLES, TEST_SAMPLES = 500, 1000


def printed_intervals(model: Model) -> str:
    """Hold the vignette's intervals against the percentile intervals, by the Monte Carlo errors of both."""
    n = model.replicates.simulated - model.replicates.failed
    by_name = {of.parameter.name: of for of in model.intervals}
    if not enough_replicates(model) or {*by_name} != {*PRINTED_INTERVALS}:
        return ""
    # A bound from so many samples has an error that is larger by the root of the ratio of the numbers.
    factor = (1 + n / INTERVAL_SAMPLES) ** 0.5
    ratios = []
    for name, (lower, upper) in PRINTED_INTERVALS.items():
        of = by_name[name].by_method["percentile"]
        ratios += [abs(lower - of.lower) / (factor * of.lower_error), abs(upper - of.upper) / (factor * of.upper_error)]
    slope = by_name[".sig03"]
    printed = " to ".join(fixed(bound, slope.places) for bound in PRINTED_INTERVALS[".sig03"])
    close = max(ratios) < 3
    verdict = "none differs here by more than that explains" if close else "some differ here by more than that explains"
    return (
        f"The vignette gives bootstrap intervals of {model.name} from {INTERVAL_SAMPLES} samples, for the SD of the "
        f"slopes for example {printed}. From {n:,} it is {slope.text('percentile')}. The bounds from so few samples "
        f"are uncertain themselves; {verdict}."
    )


def printed_test(comparison: Comparison | None) -> str:
    """The bootstrap test that the vignette prints."""
    if comparison is None or not comparison.enough:
        return ""
    n = len(comparison.simulated)
    found = fine_p_phrase(comparison.p["PBtest"])
    if comparison.reached == 0:
        found = f"p = 1/{n + 1:,}, the smallest that so many can give"
    return (
        f"The vignette tests minority with a bootstrap of {TEST_SAMPLES:,} samples, none of which reaches the data: it "
        f"reports p = 0.001, the smallest that {TEST_SAMPLES:,} can give. With {n:,} it is {found}."
    )


def omitted_test(comparison: Comparison) -> str:
    """The bootstrap test that the vignette leaves out."""
    if not comparison.enough:
        return ""
    lost = len(comparison.statistics) - len(comparison.simulated)
    worked = (
        f"Here both models were fitted to all {len(comparison.statistics):,} simulated data sets"
        if not lost
        else f"Here {lost:,} of {len(comparison.statistics):,} simulated data sets could not be fitted"
    )
    naive, simulated = comparison.p["LRT"], comparison.p["PBtest"]
    bears = "larger" if naive > simulated else "no larger"
    supposed = (
        "The vignette leaves out the bootstrap of the slope variance, because it takes long and has trouble to "
        "converge, and supposes instead that the chi-square p value errs on the careful side."
    )
    return (
        f"{supposed} {worked}: the chi-square p value, {fixed(naive, 4)}, is {bears} than the simulated one, "
        f"{fixed(simulated, 4)}."
    )
