"""What was found in High School and Beyond, in five sentences."""

from collections import Counter

import pandas as pd
from twolevel.errors import listed
from twolevel.output.numbers import decimals, fine_p_phrase, fixed, percent
from twolevel.report.prose import higher, interval_of_size, size, value

from hsb.narrative.facts import Facts

# Verdicts of the ledger in words, in the order in which they are told; the number stands before each.
VERDICTS = {
    "match": "as printed to the last digit",
    "match_rounding": "with another last digit (the source's search had stopped a little short)",
    "monte_carlo": "within the chance error of the simulations that they come from",
}
OTHERS = {
    "rough": ("is given roughly", "are given roughly"),
    "source_misprint": ("is a misprint", "are misprints"),
    "not_comparable": ("cannot be compared", "cannot be compared"),
    "mismatch": ("differs for no known reason", "differ for no known reason"),
}


def summary(facts: Facts) -> list[str]:
    """The variance between schools; slopes; minority; what goes with slopes; what is reproduced."""
    return [_between(facts), _slopes(facts), _minority(facts), _differences(facts), _reproduced(facts)]


def _between(facts: Facts) -> str:
    fit = facts.one_way.fit
    return (
        f"Of the variance in mathematics achievement of {fit['n_obs']:,} students, {percent(facts.between)} lies "
        f"between their {fit['n_groups']:,} schools, the rest between students of the same school."
    )


def _slopes(facts: Facts) -> str:
    ses, test = facts.ses, facts.slope_test
    start = (
        f"Within schools, one unit more of socio-economic status (SES) goes with {size(ses)} points "
        f"{'more' if ses.estimate > 0 else 'less'} on average {interval_of_size(ses)}"
    )
    if not test.enough:
        return f"{start}; whether this slope differs between schools, so few simulated data sets cannot tell."
    p = fine_p_phrase(test.p["PBtest"])
    if not test.rejected:
        return f"{start}, while it is not clear that this slope differs between schools (bootstrap test, {p})."
    slopes = next(r for r in facts.coefficients.random if r.level1)
    expected = ""
    if slopes.plausible is not None:
        lower, upper = (fixed(bound, decimals([slopes.sd], 2)) for bound in slopes.plausible)
        expected = f": in 95 % of schools it is expected between {lower} and {upper}"
    return f"{start}, and this slope differs between schools (bootstrap test, {p}){expected}."


def _minority(facts: Facts) -> str:
    effect, model = facts.minority, facts.with_minority
    start = (
        f"At the same SES within their schools, students of a minority score {size(effect)} points "
        f"{higher(effect.estimate)} than others {interval_of_size(effect)}"
    )
    if facts.split is not None:
        within = facts.split.within
        start += (
            f", and {size(within)} points {higher(within.estimate)} than others of the same school "
            f"{interval_of_size(within)}"
        )
    printed, at = facts.printed("mod3a", "REML criterion"), facts.constrained.get("fit")
    if (excess := printed - model.fit["criterion"]) > 0.1:
        # What is printed has one decimal; the point on the wall, where it rounds to that, is known better.
        better = at["above_optimum"] if at and abs(at["criterion"] - printed) < 0.05 else excess
        return (
            f"{start}. The fit of that model that a teaching vignette prints is not the best one: its REML "
            f"criterion, of which lower is better, is {fixed(better, 2 if better != excess else 1)} higher."
        )
    if at:
        above = fixed(at["above_optimum"], 2)
        return f"{start}. The default search of R's lme4 stops short of this fit, by {above} in its criterion."
    return f"{start}. This explains {explains(facts.residual['explained'])} of the variance within schools."


def explains(share: float) -> str:
    """A share of a variance that a predictor accounts for; none where the variance did not fall."""
    return percent(share) if share > 0 else "none"


def _differences(facts: Facts) -> str:
    (here, slope), (there, other) = facts.sector_slopes.items()
    steeper = facts.slope.estimate * facts.by_mean_ses.estimate > 0
    compared = "flatter" if abs(slope) < abs(other) else "steeper"
    if slope * other < 0:
        compared = "of the other sign"
    return (
        f"The slope of SES is {'steeper' if steeper else 'flatter'} in schools of higher mean SES, sector being equal"
        f"{_open(facts.by_mean_ses.clear)}, and {compared} in {here} schools ({value(facts.by_sector, slope)}) than in "
        f"{there} schools ({value(facts.by_sector, other)}) where mean SES is 0{_open(facts.by_sector.clear)}."
    )


def _open(clear: bool) -> str:
    return "" if clear else ", though by no more than chance may do"


def _reproduced(facts: Facts) -> str:
    """How much of what was published comes out again; without a ledger, whether the fits can be trusted."""
    if doubted := [model.called for model in facts.models.values() if model.doubts]:
        return f"Not every fit can be trusted: see {listed(doubted)}."
    ledger = facts.ledger
    if ledger is None:
        return f"The optimum of each of the {len(facts.models)} models was found and confirmed."
    counts = Counter(ledger["verdict"])
    total = len(ledger) - counts["given"]
    if not facts.same_data:
        same = counts["match"]
        return (
            f"The data are not those of the published analyses, so that of the {total:,} results printed there no more "
            f"than {same:,} {'comes' if same == 1 else 'come'} out the same."
        )
    found = [f"{counts[verdict]:,} {words}" for verdict, words in VERDICTS.items() if counts[verdict]]
    rest = [*_elsewhere(ledger), *(f"{counts[v]:,} {OTHERS[v][counts[v] > 1]}" for v in OTHERS if counts[v])]
    also = f"; of the others, {listed(rest)}" if rest else ""
    given = f"; {counts['given']:,} more numbers are counts and settings" if counts["given"] else ""
    return f"Of {total:,} published results this run finds {listed(found or ['none'])}{also}{given}."


def _elsewhere(ledger: pd.DataFrame) -> list[str]:
    """The numbers of fits that were not at their optimum."""
    rows = ledger[ledger["verdict"] == "not_optimum"]
    fits = rows["model"].nunique()
    if rows.empty:
        return []
    whose = "a fit that was not at its optimum" if fits == 1 else f"{fits} fits that were not at their optimum"
    return [f"{len(rows):,} {'is' if len(rows) == 1 else 'are'} from {whose}"]
