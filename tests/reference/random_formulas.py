"""Random lme4 formulas from a grammar, and the table that they are about.

    python tests/reference/random_formulas.py DIRECTORY [COUNT SEED]

writes DIRECTORY/random_formulas.csv (the table) and DIRECTORY/random_formulas.txt (a formula a line), for
random_formulas.R to read. Everything is drawn by `random.Random`, whose stream Python keeps from release to release.
"""

import sys
from pathlib import Path
from random import Random

import pandas as pd

COUNT, SEED = 300, 10
TABLE_SEED = 3
# In the order of the levels, which is not the alphabet's.
LEVELS = {"arm": ["No", "Yes"], "dose": ["low", "mid", "high"], "site": ["urban", "rural", "coast", "hill"]}
GROUPS = 16

# Of any sign; positive; factors, in the notation of a formula. `z` and `dose` have missing values.
NUMBERS = ["x", "z", "u", "mean.u", "`wait days`", "k"]
VARYING = ["x", "z", "u", "`wait days`"]  # within groups
POSITIVE = ["u", "mean.u", "`wait days`"]
FACTORS = ["arm", "dose", "site", "old"]
RESPONSES = [*["y"] * 8, *["d"] * 4]
RESPONSES += ["log(y)", "sqrt(y)", "y^2", "I(y^2)", "y - x", "I(y - d)", "log(y) - log(u)", "(y - d)/2", "y / u"]
RESPONSES += ["-d", "abs(d)", "log(y, base = 2)", "d * 10 + u", "exp(d / 10)", "y**2 - 1", "pmax(d, -1)"]

# {a} and {b} are numbers, {s} is one of many values, {p} is positive, {f} a factor, {n} a small number.
TRANSFORMED = [
    *("log({p})", "log({p}, 10)", "log({p}, base = 2)", "log2({p})", "log10({p})", "log1p({p})", "sqrt({p})"),
    *("log({p} + {n})", "exp({a} / 10)", "exp(-{a}^2 / 20)", "abs({a} - {n})", "sqrt(abs({a}))", "log1p(exp({a}/9))"),
    *("I({a}^2)", "I({a}**2)", "I(-{a}^2)", "I((-{a})^2)", "I(({a} - {n}) / 2)", "I({a} * {b})", "I({a} + {b}^2)"),
    *("I({n} * {a} - {b})", "I({a} / {p})", "I(1 / {p})", "I(-{a})", "I({a} > {n})", "I({a} - {b} - {n})"),
    *("I({a} - ({b} - {n}))", "I(2^-{p} * 4)", "I(-2^2 + {a})", "I({a} / {n} >= {b})"),
    *("poly({a}, 2)", "poly({a}, 3)", "poly({a}, 2, raw = TRUE)", "poly({a}, degree = 3, raw = TRUE)"),
    *("scale({a})", "scale({a}, center = FALSE)", "scale({a}, scale = FALSE)", "scale({a}, TRUE, FALSE)"),
    *("scale({a}, center = {n}, scale = 2)", "scale(log({p}))", "pmin({a}, {n})", "pmax({a}, {n})"),
    *("pmin({a}, {b})", "pmax({a}, {b}, {n})", "ifelse({a} > {n}, 1, 0)", 'ifelse(arm == "Yes", {a}, {n})'),
    *("ifelse(old, {a}, -{a})", "ifelse({a} > {n} | {b} > 2, {a}, 0)", "as.numeric(dose)", "as.numeric(old)"),
    *("bs({s}, df = 4)", "bs({s}, knots = c(2, 3))", "bs({s}, df = 3, degree = 2)", "ns({s}, df = 3)"),
    *("ns({s}, knots = c(1.5))", "ns({s}, 2)", "cut({a}, c(-20, 1, 3, 40))", "cut(x, breaks = c(-20, 0, 40))"),
    'cut({a}, c(-20, 1, 2, 40), labels = c("few", "some", "many"))',
    "cut(x, c(-20, 0.5, 40), right = FALSE)",
    *("factor(k)", "factor({f})", 'factor(dose, levels = c("high", "low", "mid"))', "factor(k > 2)"),
    *("C({f}, contr.sum)", "C({f}, contr.helmert)", "C({f}, contr.treatment)", "C(factor(k), contr.sum)"),
    *('relevel(dose, ref = "mid")', 'relevel(site, "hill")', 'relevel(arm, ref = "Yes")'),
]

# {0} to {2} are different simple terms.
STRUCTURES = [
    *["{0}", "{0} + {1}", "{0} * {1}", "{0} + {1} + {2}"] * 4,
    *("{0}:{1}", "{0} + {0}:{1}", "{0}:{1} + {0} + {1}", "{0} * {1} - {0}", "{0} * {1} - {1}", "{0} * {1} - {0}:{1}"),
    *("{0} / {1}", "{0} %in% {1}", "{0} + {1} %in% {0}", "{0} / ({1} + {2})", "({0} + {1}) / {2}", "{0} / {1} / {2}"),
    *("({0} + {1})^2", "({0} + {1} + {2})^2", "({0} + {1} + {2})**2", "({0} + {1} + {2})^2 - {0}:{2}", "{0}^2 + {1}"),
    *("({0} + {1} + {2})^3 - {0}:{1}:{2}", "({0} + {1}):{2}", "{0} * ({1} + {2})", "({0} + {1} + {2})^2 - {1}"),
    *("{0} + {1} + {0}", "{0} + + {1}", "{0} - - {1} + {2}", "({0})", "{0} + ({1} + {2})", "{0}*{1}*{2}-{0}:{1}:{2}"),
    *("{0} + {1}:{2}", "{1}:{2} + {1}", "{0}:{1} + {1}:{2}", "{0}:{0} + {1}", "{0} + {1} - {1} + {2}", "{0}+{1}:{0}"),
]
# What R refuses, or takes for something else than a beginner means: R has the last word.
ODD = ["2 * {0}", "{0} > 3", "{0} {1}", "nothing + {0}", "{0} + {1},", "{0} + tan2({1})", "{0} + ({1}", "-{0} + {1}"]

RANDOM = [
    *["(1 | g)"] * 12,
    *["({a} | g)", "(1 + {a} | g)", "(0 + {a} | g)", "({a} - 1 | g)", "({a} || g)"] * 4,
    *("({a} + {b} | g)", "({a} + {b} || g)", "(0 + {a} + {b} || g)", "(1 + {a} + {b} || g)", "(0 + {a} + {b} | g)"),
    *("(1 | g) + (0 + {a} | g)", "({a} | g) + (0 + {b} | g)", "(1 | g) + ({a} - 1 | g) + (0 + {b} | g)"),
    *("({h} | g)", "(0 + {h} | g)", "({h} || g)", "({a} + {h} || g)", "({a} + {h} | g)", "(1 | g) + (0 + {h} | g)"),
    *("({a}:{h} | g)", "(0 + {h}:{a} | g)", "({a} * {b} || g)", "({t} | g)", "({t} || g)", "(0 + {t} | g)"),
    *("(1|g)", "({a}|g)", "((1 | g))", "({a}||g)", "(1 | g) + ({a} + {b} - 1 | g)", "({h}:{a} - 1 | g)"),
]
RANDOM_TRANSFORMED = ["I(x^2)", "log(u)", "scale(x)", "scale(z, scale = FALSE)", "poly(x, 2)", "abs(x)", "factor(old)"]
RANDOM_TRANSFORMED += ["I(x - 1)", "sqrt(`wait days`)", "C(arm, contr.sum)", "pmin(x, 1)", "log1p(`wait days`)"]
OFFSETS = ["offset(x)", "offset(2 * z)", "offset(log(u))", "offset(I(x^2) / 10)"]
NO_INTERCEPT = ["0 + {}", "{} - 1", "{} + 0", "-1 + {}"]


def table() -> pd.DataFrame:
    """About 150 rows in 16 groups of 5 to 14, in mixed order; levels ordered as the pipeline has them."""
    rng = Random(TABLE_SEED)
    groups = [f"g{number:02d}" for number in range(1, GROUPS + 1)]
    effects = {g: (rng.gauss(0, 1.5), rng.gauss(0, 0.7), rng.gauss(0, 0.5)) for g in groups}
    sites = {g: LEVELS["site"][i % 4] for i, g in enumerate(groups)}
    drawn = []
    rows = [g for i, g in enumerate(groups) for _ in range(5 + i * 7 % 10)]
    for g in rng.sample(rows, len(rows)):
        x, z, u, wait = rng.gauss(1, 1.5), rng.gauss(0, 2), rng.lognormvariate(0.5, 0.6), rng.uniform(1, 20)
        arm, dose, old, k = rng.choice(LEVELS["arm"]), rng.choice(LEVELS["dose"]), rng.random() < 0.4, rng.randint(1, 4)
        base, slope, other = effects[g]
        d = base + (0.6 + slope) * x + other * z + 0.8 * (arm == "Yes") + 0.3 * u + rng.gauss(0, 1.2)
        y = 16 - base + (0.4 + other) * x - slope * z + 0.2 * wait + rng.gauss(0, 1.5)
        drawn.append((g, x, z, u, wait, k, arm, dose, sites[g], old, d, y))
    names = ["g", "x", "z", "u", "wait days", "k", "arm", "dose", "site", "old", "d", "y"]
    made = pd.DataFrame(drawn, columns=names).round({"x": 3, "z": 3, "u": 3, "wait days": 2, "d": 4, "y": 4})
    made["mean.u"] = made.groupby("g")["u"].transform("mean").round(4)
    return with_levels(made.assign(z=_without(made["z"], rng, 4), dose=_without(made["dose"], rng, 3)))


def _without(column: "pd.Series[str]", rng: Random, count: int) -> "pd.Series[str]":
    """Take some values out, none of them in the first rows, from which the fixture has single values."""
    gone = rng.sample(range(10, len(column)), count)
    return column.where(~column.index.isin(gone))


def with_levels(made: pd.DataFrame) -> pd.DataFrame:
    """Give the factors their levels."""
    kinds = {name: pd.CategoricalDtype(levels, ordered=True) for name, levels in LEVELS.items()}
    return made.astype({**kinds, "k": float, "g": str, "old": bool})


def read_table(path: Path) -> pd.DataFrame:
    """Read the table as this script wrote it."""
    return with_levels(pd.read_csv(path))


def formulas(count: int, seed: int) -> list[str]:
    """Draw formulas, all different."""
    rng = Random(seed)
    drawn: dict[str, None] = {}
    while len(drawn) < count:
        drawn[_formula(rng)] = None
    return list(drawn)


def _formula(rng: Random) -> str:
    odd = rng.random() < 0.02
    fixed = rng.choice(ODD if odd else STRUCTURES).format(*_simple_terms(rng))
    if not odd and rng.random() < 0.2:
        fixed = rng.choice(NO_INTERCEPT).format(fixed)
    parts = [fixed, _random_part(rng)]
    if rng.random() < 0.12:
        parts.insert(rng.randrange(2), rng.choice(OFFSETS))
    # lme4 loses the sign in (1 | g) - 1: what begins with one stays in front.
    if rng.random() < 0.15 and not fixed.startswith("-"):
        parts.reverse()
    return f"{rng.choice(RESPONSES)} ~ {' + '.join(parts)}".replace("+ -", "- ")


def _simple_terms(rng: Random) -> list[str]:
    """Three terms over different columns, at most one of them transformed."""
    terms = rng.sample(rng.sample(NUMBERS, 2) + rng.sample(FACTORS, 2), 3)
    if rng.random() < 0.65:
        terms[2] = _transformed(rng, taken=terms[:2])
    return rng.sample(terms, 3)


def _transformed(rng: Random, taken: list[str]) -> str:
    while True:
        first, second, positive = *rng.sample(NUMBERS, 2), rng.choice(POSITIVE)
        number = rng.choice(["1", "2", "0.5", "1.5", "3"])
        smooth, factor = rng.choice(VARYING), rng.choice(FACTORS)
        made = rng.choice(TRANSFORMED).format(a=first, b=second, s=smooth, p=positive, f=factor, n=number)
        if len({first, second, positive}) == 3 and not any(name in made for name in taken if len(name) > 1):
            return made


def _random_part(rng: Random) -> str:
    first, second = rng.sample(VARYING, 2)
    factor = rng.choice(["arm", "arm", "old", "dose"])
    return rng.choice(RANDOM).format(a=first, b=second, h=factor, t=rng.choice(RANDOM_TRANSFORMED))


def main(directory: Path, count: int = COUNT, seed: int = SEED) -> None:
    """Write the table and the formulas."""
    table().to_csv(directory / "random_formulas.csv", index=False)
    text = "".join(f"{formula}\n" for formula in formulas(count, seed))
    (directory / "random_formulas.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
