"""Evidence on samples: groups drawn through their observations, and what a bootstrap test counts."""

from collections.abc import Sequence
from fractions import Fraction
from math import comb

from published.run import Finding, Run, said
from scipy.special import chdtri
from twolevel.inference.intervals import proportion_interval
from twolevel.inference.samples import moments, reached

COMPARED = "mod3_int vs mod3_int_null"


def all_distinct(sizes: Sequence[int], n: int) -> Fraction:
    """Probability that `n` observations drawn without replacement are of `n` different groups.

    The number of such samples is the n-th elementary symmetric polynomial of the groups' sizes, out of all
    C(sum of sizes, n).
    """
    ways = [1] + [0] * n
    for size in sizes:
        for drawn in range(n, 0, -1):
            ways[drawn] += size * ways[drawn - 1]
    return Fraction(ways[n], comb(sum(sizes), n))


def expected_distinct(sizes: Sequence[int], n: int) -> Fraction:
    """Expected number of groups among `n` observations drawn without replacement."""
    total = sum(sizes)
    return sum((1 - Fraction(comb(total - size, n), comb(total, n)) for size in sizes), Fraction(0))


def groups_drawn_twice(run: Run) -> Finding:
    """Drawing observations gives fewer groups than observations."""
    n = int(run.row("text", "n schools sampled for plot", "J").printed)
    sizes = [int(size) for size in run.column(run.group).value_counts(sort=False) if size]
    same = run.prints(sum(sizes), "text", "n students (prose)", "n")
    same = same and run.prints(len(sizes), "text", "n schools (prose)", "J")
    chance, expected = float(all_distinct(sizes, n)), float(expected_distinct(sizes, n))
    return Finding(
        same and chance < 0.5,
        f"Of {n} of the {sum(sizes):,} entries drawn at random, all are of different groups with probability "
        f"{chance:.4f}. The expected number of groups is {said(expected, 1)}, and a group with more observations is "
        "likelier to be among them.",
    )


def none_as_large(run: Run) -> Finding:
    """A p value of 1/(n + 1) says that no sample was as extreme: the data are counted with the samples."""
    n, extremes = (int(run.row(COMPARED, f"PBmodcomp PBtest {what}").printed) for what in ("samples", "extremes"))
    p, share = (extremes + 1) / (n + 1), run.row(COMPARED, "% of samples").printed
    found = run.comparison("mod3_int_null", "mod3_int")
    ours, simulated = reached(found.simulated, found.statistic), moments(found.simulated)
    same = run.prints(found.statistic, COMPARED, "PBmodcomp stat", "PBtest")
    return Finding(
        same and extremes == 0 and run.prints(p, COMPARED, "PBmodcomp p.value", "PBtest") and f"{100 * p:.2f}" != share,
        f"The output counts {extremes} extremes in {n:,} samples; ({extremes} + 1) / ({n:,} + 1) = {p:.6f}, which is "
        f"{100 * p:.4f} %. In this run {ours} of {simulated.count:,} simulated statistics reach "
        f"{said(found.statistic)}; the largest is {said(simulated.largest)}.",
    )


def statistic_and_p(run: Run) -> Finding:
    """For a variance the simulated statistics are smaller than chi-square has them, and so p is too large."""
    found = run.comparison("mod3_null", "model3")
    df = run.fit("model3")["npar"] - run.fit("mod3_null")["npar"]
    simulated, rejected = moments(found.simulated), reached(found.simulated, chdtri(df, 0.05))
    mean, n = simulated.mean, simulated.count
    _, upper = proportion_interval(rejected, n)
    return Finding(
        run.prints(found.statistic, "model3", "LRT table: Chisq") and mean < df and upper < 0.05,
        f"In this run {n:,} statistics of the test of the random slopes, simulated from its null model, have a mean of "
        f"{said(mean)}, where chi-square({df}) has {df}. At 5 % the chi-square test rejects "
        f"{said(100 * rejected / n, 1)} % of them.",
    )
