"""The ledger's parts: numbers as R prints them, bands of simulated numbers, witnesses, what its tables must hold."""

from collections.abc import Sequence
from dataclasses import replace
from math import comb
from typing import Any

import numpy as np
import pandas as pd
import pytest
from published.inventory import Inventory
from published.monte_carlo import band_ranks, count_band, least_replicates, quantile_band
from published.printed_numbers import Declared, Row, read_declared, read_rows
from published.printing import as_printed, half_width, is_rough, remark
from published.quantities import value_of
from published.solution import NotThereError, Solution
from published.witness import SLACK, Centre, centre, nearest
from twolevel.errors import UserError

ROW = {
    "id": "ch8-001",
    "chapter": "8",
    "section": "8.2",
    "model": "model3",
    "formula": "y ~ x",
    "estimator": "REML",
    "quantity": "variance",
    "term": "Residual",
    "printed": "36.700",
    "decimals": "3",
    "kind": "exact",
}


def row(quantity: str, decimals: int = 0, printed: str = "0") -> Row:
    return Row(**{**ROW, "quantity": quantity, "printed": printed, "decimals": decimals})  # type: ignore[arg-type]


# Expected values are R 4.2's, by the command beside them.
AS_R_PRINTS = {
    "sprintf('%.3f', 36.70020)": ("variance", 3, 36.70020, "36.700"),
    "round(-0.0004, 3)": ("fixed-effect correlation", 3, -0.0004, "0.000"),
    "format.pval(5.228e-47, digits = 4)": ("LRT table: Pr(>Chisq)", 1, 5.228e-47, "< 2.2e-16"),
    "format.pval(0.00759147, digits = 4)": ("LRT table: Pr(>Chisq)", 6, 0.00759147, "0.007591"),
    "format.pval(1/1001, digits = 4)": ("PBmodcomp p.value", 6, 1 / 1001, "0.000999"),
    # x <- c(-23360.205931, -23256.536264); format(zapsmall(x, 5), digits = 5)
    "zapsmall, then five digits": ("LRT table: logLik", 0, -23256.536264, "-23256"),
    "one of a column that is not moved": ("LRT table: logLik", 0, -23360.205931, "-23360"),
    "format(zapsmall(c(4, 5), 5), digits = 5)": ("LRT table: npar", 0, 5.0, "5"),
    "format(round(207.339334, 4), digits = 5)": ("LRT table: Chisq", 2, 207.339334, "207.34"),
    "format(round(9.761657, 4), digits = 5)": ("LRT table: Chisq", 4, 9.761657, "9.7617"),
    "prose: about 10 points": ("approx difference lowest-highest mean SES schools", 0, 11.84, "10"),
}


@pytest.mark.parametrize(("quantity", "decimals", "value", "expected"), AS_R_PRINTS.values(), ids=AS_R_PRINTS)
def test_numbers_come_out_as_r_prints_them(quantity: str, decimals: int, value: float, expected: str) -> None:
    assert as_printed(value, row(quantity, decimals)) == expected


def test_what_is_rounded_further_than_its_decimals_is_remarked_on() -> None:
    assert "-23256.536" in remark(-23256.536, row("LRT table: logLik"))
    assert is_rough(row("approx difference lowest-highest mean SES schools"))
    assert not is_rough(row("variance", 3))
    assert remark(-23360.2, row("LRT table: logLik")) == ""
    assert remark(2.38, row("variance", 3)) == ""


def test_what_is_printed_is_within_half_a_width_of_the_number() -> None:
    for quantity, decimals, value, expected in AS_R_PRINTS.values():
        if not expected.startswith("<"):
            assert abs(float(expected) - value) <= half_width(row(quantity, decimals)), quantity


# ------------------------------------------------------------------------------------------------- Monte Carlo bands


def test_the_band_of_a_quantile_holds_it_as_often_as_it_says() -> None:
    # Both runs are drawn anew each time, from the uniform distribution: the law does not depend on which. R's boot.ci
    # takes the 10th of 199 samples for 0.05. 99 % in 2,000 trials: 4.5 binomial standard deviations are 0.01.
    rng, trials, inside = np.random.default_rng(5), 2000, 0
    least, most = band_ranks(1500, 0.05, samples=199, coverage=0.99)
    for _ in range(trials):
        ours, theirs = rng.random(1500), np.sort(rng.random(199))[9]
        inside += least <= (ours < theirs).sum() <= most
    # Discrete bounds make the band a little wider than it says, and not by much.
    assert inside / trials > 0.98
    assert inside / trials < 0.9985


def test_the_band_lies_at_those_ranks() -> None:
    ours = np.random.default_rng(6).permutation(np.arange(1.0, 1501.0))  # the k-th smallest is k
    least, most = band_ranks(1500, 0.05, 199)
    assert quantile_band([ours], 0.05, 199) == (least, most + 1)


def test_the_band_of_a_quantile_narrows_with_the_run() -> None:
    ours = np.linspace(0, 1, 9999)
    widths = [np.diff(quantile_band([ours], 0.5, samples))[0] for samples in (100, 1000, 10000)]
    assert widths[0] > 2 * widths[1] > 4 * widths[2]


def test_missing_replicates_do_not_matter() -> None:
    ours = np.r_[np.nan, np.linspace(0, 1, 999), np.nan]
    assert quantile_band([ours], 0.5, 500) == quantile_band([ours[1:-1]], 0.5, 500)


@pytest.mark.parametrize("probability", [0.025, 0.975])
def test_too_few_replicates_have_no_band(probability: float) -> None:
    # The 12th or 13th of 500 samples is the bound; all of n others lie above the 12th smallest with the probability
    # C(488 + n, n) / C(500 + n, n), the product of (488 + i) / (500 + i) over i from 1 to n.
    none_below = np.cumprod([(488 + i) / (500 + i) for i in range(1, 1001)])
    n = int((none_below >= 0.0005).sum()) + 1
    assert least_replicates(probability, 500) == n
    ours = np.append(np.linspace(0.0, 1.0, n), np.nan)  # one that gave none does not count
    assert np.isfinite(quantile_band([ours], probability, 500)).all()
    message = f"the bootstrap has {n - 1} replicates, too few for a band of a run of 500 samples; {n} are enough"
    with pytest.raises(NotThereError, match=message):
        quantile_band([ours[1:]], probability, 500)


def test_the_least_number_of_replicates_follows_from_the_ranks() -> None:
    # Another route: the ranks of the band, by the law's quantiles.
    for probability, samples, coverage in [(0.05, 199, 0.99), (0.5, 20, 0.9), (0.9, 99, 0.999), (0.001, 10, 0.9)]:
        n = least_replicates(probability, samples, coverage)
        ranks = {size: band_ranks(size, probability, samples, coverage) for size in (n - 1, n)}
        within = {size: below >= 1 and up_to < size for size, (below, up_to) in ranks.items()}
        assert within == {n - 1: False, n: True}, (probability, samples)


def test_the_band_of_a_count_follows_from_the_hypergeometric_law() -> None:
    # None of our 10,000 is extreme. If x of the other run's 1,000 are, the x fall all into that run with probability
    # C(1000, x) / C(11000, x): 7.5e-4 for 3 and 6.7e-5 for 4, either side of the tail 5e-4.
    all_there = [comb(1000, x) / comb(11000, x) for x in (3, 4)]
    assert all_there[1] < 5e-4 < all_there[0]
    assert count_band(0, 10000, 1000) == (0, 3)
    # Half of ours: half of theirs, give or take 3.29 sqrt(1000/4 (1 + 1000/10000)) = 54.6.
    low, high = count_band(5000, 10000, 1000)
    assert 500 - low == pytest.approx(54.6, abs=1.5)
    assert high - 500 == pytest.approx(54.6, abs=1.5)


# ---------------------------------------------------------------------------------------------------------- witnesses


@pytest.fixture(scope="module")
def optimum(models) -> Centre:
    fitted = models["random_coefficients"]
    return centre(fitted.design, fitted.data, fitted.reml.theta, ())


def three_numbers(estimates: dict) -> np.ndarray:
    """The two variances and the covariance: theta has three elements here, so that they are free."""
    (a, _), (b, c) = estimates["random_effects_covariance"]
    return np.array([a, b, c])


def test_the_axes_measure_the_excess(optimum: Centre) -> None:
    # SLACK |u|^2 by the Hessian; the next term of the expansion is a hundredth of it.
    for u in np.eye(3):
        excess = optimum.estimates(u)["criterion"] - optimum.criterion
        assert excess == pytest.approx(SLACK, rel=0.03)


def test_a_point_that_prints_given_numbers_is_found(optimum: Centre) -> None:
    # What a search prints that stopped at 0.04 of the slack: |u| = 0.2.
    there = optimum.estimates(np.array([0.1, -0.1, 0.14]))
    widths = np.array([1e-6, 1e-6, 1e-6])
    found = nearest(optimum, three_numbers, three_numbers(there), widths)
    assert found is not None
    estimates, excess = found
    assert np.abs(three_numbers(estimates) - three_numbers(there)).max() <= 1e-6
    assert excess == pytest.approx(there["criterion"] - optimum.criterion, rel=0.05)


def test_the_point_is_the_nearest_one(optimum: Centre) -> None:
    # Of one number alone, the nearest point has the excess (d / s)^2 SLACK, s the slope in the metric of the axes.
    here = three_numbers(optimum.estimates(np.zeros(3)))[2]
    slopes = [(three_numbers(optimum.estimates(u))[2] - here) for u in 0.01 * np.eye(3)]
    steepest = np.linalg.norm(slopes) / 0.01
    found = nearest(optimum, lambda e: three_numbers(e)[2:], np.array([here + 0.2 * steepest]), np.array([1e-9]))
    assert found is not None
    assert found[1] == pytest.approx(0.2**2 * SLACK, rel=0.05)


def test_numbers_that_no_point_within_the_slack_prints_have_none(optimum: Centre) -> None:
    far = three_numbers(optimum.estimates(np.array([2.0, 0.0, 0.0])))  # four times the slack
    assert nearest(optimum, three_numbers, far, np.full(3, 1e-6)) is None
    contradictory = lambda e: np.array([e["sigma"], e["sigma"]])  # noqa: E731
    sigma = optimum.estimates(np.zeros(3))["sigma"]
    assert nearest(optimum, contradictory, np.array([sigma - 1e-3, sigma + 1e-3]), np.full(2, 1e-4)) is None


# ------------------------------------------------------------------------------------------------------------- tables


def table(rows: Sequence[dict[str, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows)


DECLARED = {"rows": "ch8-001", "printed": "36.700", "verdict": "source_misprint", "should_be": "36.701", "reason": "r"}


def test_rows_are_read() -> None:
    (read,) = read_rows(table([ROW]), "published.csv")
    assert read == Row(**{**ROW, "decimals": 3})  # type: ignore[arg-type]
    assert read.unit == pytest.approx(0.001)
    assert read_declared(table([DECLARED]), [read], "verdicts.csv") == [Declared(**DECLARED)]


MISTAKES = {
    "a column missing": ({"kind": None}, {}, "published.csv has the columns"),
    "a kind that is none": ({"kind": "exakt"}, {}, "row ch8-001 has the kind 'exakt'; expected one of exact, derived"),
    "decimals that are none": ({"decimals": "three"}, {}, "row ch8-001 has the decimals 'three'; expected one of 0, 1"),
    "a verdict that cannot be declared": (
        {},
        {"verdict": "match"},
        "verdicts.csv: ch8-001 is declared 'match'; of a number of a REML fit can be declared: "
        "match_rounding, source_misprint, not_comparable.",
    ),
    "one row away from the optimum": (
        {},
        {"verdict": "not_optimum"},
        "ch8-001 is declared 'not_optimum'; of a number of a REML fit can be declared: match_rounding, ",
    ),
    "rounding of what no search moves": (
        {"estimator": "ML"},
        {"verdict": "match_rounding"},
        "ch8-001 is declared 'match_rounding'; of a number that is not of a REML fit can be declared: source_m",
    ),
    "a simulated misprint": (
        {"kind": "monte_carlo"},
        {"verdict": "source_misprint"},
        "ch8-001 is declared 'source_misprint'; of a simulated number, .*, can be declared: nothing; take the line out",
    ),
    "a simulated number that is not compared": (
        {"kind": "monte_carlo"},
        {"verdict": "not_comparable"},
        "ch8-001 is declared 'not_comparable'; of a simulated number, .*, can be declared: nothing; take the line out",
    ),
    "a run time that is rounded": (
        {"kind": "timing"},
        {"verdict": "match_rounding"},
        "ch8-001 is declared 'match_rounding'; of a run time can be declared: not_comparable.",
    ),
    "a model that is not compared": (
        {},
        {"rows": "model3", "verdict": "not_comparable"},
        "model3 is declared 'not_comparable'; of a model can be declared: not_optimum.",
    ),
    "a row that is not there": (
        {},
        {"rows": "ch8-999"},
        "rows names ch8-999, which is neither the id of a number nor the name",
    ),
    "no model at all": (
        {"model": ""},
        {"rows": "", "verdict": "not_optimum"},
        "which is neither the id of a number nor the name",
    ),
}


@pytest.mark.parametrize(("of_row", "of_declared", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_a_table_is_named(of_row: dict, of_declared: dict, message: str) -> None:
    changed = {key: value for key, value in {**ROW, **of_row}.items() if value is not None}
    with pytest.raises(UserError, match=message):
        read_declared(
            table([{**DECLARED, **of_declared}]), read_rows(table([changed]), "published.csv"), "verdicts.csv"
        )


def test_an_id_is_there_once() -> None:
    with pytest.raises(UserError, match="id has ch8-001 more than once"):
        read_rows(table([ROW, ROW]), "published.csv")


def test_a_row_is_declared_once() -> None:
    with pytest.raises(UserError, match="rows has ch8-001 more than once"):
        read_declared(table([DECLARED, DECLARED]), read_rows(table([ROW]), "published.csv"), "verdicts.csv")


def test_what_can_be_declared_of_a_model_and_a_run_time_is_read() -> None:
    rows = read_rows(table([ROW, {**ROW, "id": "ch8-002", "kind": "timing"}]), "published.csv")
    of_model = {**DECLARED, "rows": "model3", "printed": "", "verdict": "not_optimum"}
    of_time = {**DECLARED, "rows": "ch8-002", "verdict": "not_comparable"}
    declared = read_declared(table([of_model, of_time]), rows, "verdicts.csv")
    assert [entry.verdict for entry in declared] == ["not_optimum", "not_comparable"]


def test_a_number_of_another_estimator_is_not_compared() -> None:
    by_ml = Solution("ML", 1751.9, 180, 18, {}, {("estimate", "Days"): 10.5}, {}, {})
    nothing: dict[str, Any] = {key: {} for key in ("variance_explained", "intervals", "bootstrap")}
    inventory = Inventory(
        {"m1": "slopes"},
        {"slopes": by_ml},
        comparisons=(),
        groups=pd.DataFrame(),
        n_obs=180,
        sampled_groups=(),
        **nothing,
    )
    printed = replace(row("fixed effect estimate"), model="m1", term="Days")
    with pytest.raises(NotThereError, match="the results have slopes by ML, the source by REML"):
        value_of(inventory, printed)
    assert value_of(inventory, replace(printed, estimator="ML")) == 10.5
