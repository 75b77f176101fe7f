"""Whatever is written: a refusal or a fit of what is written. No crash, no hang, and nothing of it is executed.

FUZZ_CASES says how many mutated formulas are tried; 200,000 take about ten minutes.
"""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lme4_answers import as_list, design_differences
from reference import random_formulas
from twolevel.data.yaml_text import check_yaml
from twolevel.errors import UserError
from twolevel.model.design import Design
from twolevel.model.formula import build_design
from twolevel.model.formula_check import check_formula

CASES = int(os.environ.get("FUZZ_CASES", "5000"))
TABLE = random_formulas.table()
COLUMNS = list(TABLE.columns)
VALID = random_formulas.formulas(300, random_formulas.SEED)
TOKENS = [*"~|+-*/:^(),=<>!%`\"'[]{}$@;?#\\", "||", "**", "%in%", "%%", "==", "<=", ">=", "!=", "&", "&&", "<-", "::"]
TOKENS += [
    "0",
    "1",
    "2",
    "-1",
    "1e9",
    "1e999",
    "99999999999",
    "0x1F",
    "2L",
    "TRUE",
    "NULL",
    "NA",
    "Inf",
    '"low"',
    "'a'",
]
TOKENS += [
    "x",
    "z",
    "u",
    "y",
    "g",
    "arm",
    "dose",
    "old",
    "k",
    "mean.u",
    "`wait days`",
    "wait",
    "`",
    "x.",
    ".x",
    "_x",
    ".",
]
TOKENS += [
    f"{name}(" for name in ("log", "I", "poly", "scale", "bs", "ns", "cut", "C", "factor", "offset", "c", "eval")
]
TOKENS += [
    "(1 | g)",
    "(x || g)",
    "(0 + x | g)",
    "(1 | arm)",
    "| g",
    "~ x",
    ", degree = 2",
    ", df = 5",
    "if",
    "function",
]
CHARACTERS = [
    *map(chr, range(256)),
    *"πжéß中𝒳①²½−–×÷∣‖～“”‘’\u00a0\u200b\u200d\u202e\ufeff\u0301\U0001f600",
    "\ud800",
    "\x00",
]
SPLIT = re.compile(r"`[^`]*`|[\w.]+|\s+|\*\*|\|\||%in%|.", re.DOTALL)
# What takes a minute hangs. No time is asserted: on a busy machine the timer counts more than the process works.
SECONDS = 60.0


@contextmanager
def no_longer_than(seconds: float) -> Iterator[None]:
    """Stop what takes more of the processor's time than that; other work on the machine does not count."""

    def stop(*_: Any) -> None:
        raise TimeoutError(f"more than {seconds} seconds")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def outcome(text: str, table: pd.DataFrame = TABLE, group: str = "g") -> Design | UserError:
    """The design, or the refusal; anything else that is raised fails the test."""
    with no_longer_than(SECONDS):
        try:
            made: Design | UserError = build_design(text, table, group)
        except UserError as error:
            made = error
    with no_longer_than(SECONDS):
        mistakes = check_formula(text, list(table.columns), group)
    assert all(isinstance(mistake, str) and mistake for mistake in mistakes)
    if isinstance(made, UserError):
        assert str(made).strip()
    else:
        assert mistakes == []  # what is refused before data are read is refused with them
        foreign = named_columns(made, table) - words(text)
        assert foreign == set(), f"{foreign} in the design, not in the text"
    return made


def named_columns(design: Design, table: pd.DataFrame) -> set[str]:
    names = [design.response, design.group, *design.fixed_terms, *design.random_terms]
    return {str(column) for column in table} & set().union(*map(words, names))


def words(text: str) -> set[str]:
    """Names in a text: what stands in backticks, and words outside them."""
    return {word.strip("`") for word in SPLIT.findall(text)}


def mutated(rng: np.random.Generator) -> str:
    """One to three changes of a valid formula: of tokens or of characters."""
    parts = SPLIT.findall(VALID[rng.integers(len(VALID))])
    pool = TOKENS
    for _ in range(rng.integers(1, 4)):
        if rng.random() < 0.3:
            parts, pool = list("".join(parts)), [*CHARACTERS, *TOKENS]
        at = int(rng.integers(len(parts) + 1))
        match rng.integers(7):
            case 0:
                del parts[at : at + 1]
            case 1:
                parts.insert(at, pool[rng.integers(len(pool))])
            case 2:
                parts[at : at + 1] = [pool[rng.integers(len(pool))]]
            case 3:
                parts[at : at + 2] = reversed(parts[at : at + 2])
            case 4:  # a piece twice
                parts[at:at] = parts[at : at + int(rng.integers(1, 12))]
            case 5:  # a piece many times
                parts[at:at] = parts[at : at + 2] * int(rng.integers(2, 40))
            case _:  # the rest is lost
                del parts[at + 1 :]
        parts = parts or ["~"]
    return "".join(parts)


@pytest.mark.parametrize("stream", [pytest.param(i, marks=pytest.mark.slow if i > 1 else ()) for i in range(10)])
def test_a_mutated_formula_is_refused_or_fitted(stream: int) -> None:
    made = []
    for case in range(CASES // 10):
        text = mutated(np.random.default_rng([stream, case]))
        try:
            made.append(outcome(text))
        except Exception as error:  # noqa: BLE001 - whatever it is, the text that made it is wanted
            pytest.fail(f"stream {stream}, case {case}, {text!r}: {type(error).__name__}: {error}")
    # Mutations are near enough to formulas that some are fitted, and far enough that most are not.
    assert 0 < sum(isinstance(one, Design) for one in made) < 0.6 * len(made)


@pytest.mark.slow
@pytest.mark.needs_r
def test_a_mutated_formula_that_is_fitted_is_r_s(tmp_path: Path, rscript: str) -> None:
    """Of what survives: the same columns, so that nothing of the text was lost or read otherwise."""
    designs: dict[str, Design] = {}
    for case in range(2000):
        text = mutated(np.random.default_rng([77, case]))
        made = outcome(text)
        if isinstance(made, Design) and text.isprintable() and text.isascii():
            designs[text] = made
    assert len(designs) > 100
    random_formulas.main(tmp_path, 1, 1)
    formulas, result = tmp_path / "random_formulas.txt", tmp_path / "result.json"
    formulas.write_text("".join(f"{text}\n" for text in designs), encoding="utf-8")
    script = random_formulas.__file__.replace(".py", ".R")
    subprocess.run([rscript, script, tmp_path / "random_formulas.csv", formulas, result], check=True)
    found = []
    for (text, design), answer in zip(designs.items(), json.loads(result.read_text(encoding="utf-8")), strict=True):
        refused = answer.get("refused")
        # After a random term, lme4 loses a minus; C() of a logical column is fitted here (test_random_formulas.py).
        if refused is None and re.search(r"\|\s*g\s*\)+\s*-", text) is None:
            found += [f"{text}: {difference}" for difference in design_differences(design, answer, TABLE)]
        elif refused not in (None, "object not interpretable as a factor"):
            found.append(f"{text}: R refuses: {refused}")
    assert found == [], as_list(found)


SIX = "(x + z + u + k + mean.u + `wait days`)"
MONSTERS = {
    "brackets": f"y ~ {'(' * 10_000}x{')' * 10_000} + (1 | g)",
    "open brackets": "(" * 100_000,
    "closed brackets": f"y ~ x{')' * 100_000} + (1 | g)",
    "nested calls": f"y ~ {'I(' * 10_000}x{')' * 10_000} + (1 | g)",
    "nested scale": f"y ~ {'scale(' * 150}x{')' * 150} + (1 | g)",
    "nested random terms": f"y ~ x + {'(1 | ' * 10_000}g{')' * 10_000}",
    "minus signs": f"y ~ {'-' * 10_000}x + (1 | g)",
    "minus signs inside": f"y ~ I({'-' * 10_001}x) + (1 | g)",
    "exclamation marks": f"y ~ {'!' * 10_000}x + (1 | g)",
    "power": "y ~ x^999999999 + (1 | g)",
    "power of a sum": "y ~ (x + z)^999999999 + (1 | g)",
    "power inside": "y ~ I(x^999999999) + (1 | g)",
    "power of a power": "y ~ I(9^9^9^9^9^9 * x) + (1 | g)",
    "tower": f"y ~ (x + z){'^9' * 3000} + (1 | g)",
    "six to the twentieth": "y ~ (x + z + u + k + arm + old)^20 + (1 | g)",
    "seven to the seventh": f"y ~ ({SIX} * arm)^7 + (1 | g)",
    "power of a random term": f"y ~ x + ({SIX}^20 | g)",
    "double bar of a power": f"y ~ x + ({SIX}^6 || g)",
    "negative power": "y ~ x^-1 + (1 | g)",
    "no power": "y ~ (x + z)^0 + (1 | g)",
    "half a power": "y ~ (x + z)^2.5 + (1 | g)",
    "huge power": "y ~ (x + z)^1e308 + (1 | g)",
    "a sum of many": f"y ~ {' + '.join(['x'] * 10_000)} + (1 | g)",
    "a difference of many": f"y ~ x{' - x' * 10_000} + (1 | g)",
    "an interaction of many": f"y ~ {':'.join(['x', 'z'] * 5_000)} + (1 | g)",
    "a product of many": f"y ~ {' * '.join(['x', 'z', 'u', 'k'] * 1_000)} + (1 | g)",
    "nesting of many": f"y ~ {' / '.join(['x', 'z', 'u', 'k'] * 1_000)} + (1 | g)",
    "in of many": f"y ~ {' %in% '.join(['x', 'z', 'u', 'k'] * 1_000)} + (1 | g)",
    "many different": f"y ~ {' + '.join(f'I(x + {i})' for i in range(2_000))} + (1 | g)",
    "many different, multiplied": f"y ~ {' * '.join(f'I(x + {i})' for i in range(60))} + (1 | g)",
    "many random terms": f"y ~ x{' + (1 | g)' * 5_000}",
    "many bars": f"y ~ x + (x{' | g' * 5_000})",
    "many tildes": "y" + " ~ x" * 10_000,
    "many arguments": f"y ~ pmin({', '.join(['x'] * 5_000)}) + (1 | g)",
    "many breaks": f"y ~ cut(x, c({', '.join(map(str, range(5_000)))})) + (1 | g)",
    "degree": "y ~ poly(x, 999999999) + (1 | g)",
    "raw degree": "y ~ poly(x, 999999999, raw = TRUE) + (1 | g)",
    "degrees of freedom": "y ~ bs(x, df = 1e9) + ns(z, df = 1e300) + (1 | g)",
    "breaks": "y ~ cut(x, 1e9) + (1 | g)",
    "digits": f"y ~ I(x * {'9' * 100_000}) + (1 | g)",
    "exponent": "y ~ I(x * 1e99999999999) + (1 | g)",
    "decimals": f"y ~ I(x * 0.{'1' * 100_000}) + (1 | g)",
    "a name": f"y ~ {'a' * 1_000_000} + (1 | g)",
    "a name in backticks": f"y ~ `{'a' * 1_000_000}` + (1 | g)",
    "a string": f'y ~ factor(arm, levels = c("{"a" * 1_000_000}")) + (1 | g)',
    "spaces": f"y ~{' ' * 1_000_000}x + (1 | g)",
    "backslashes": f"y ~ `{chr(92) * 100_001}` + (1 | g)",
    "backticks": "`" * 100_001,
    "quotes": f"y ~ {chr(34) * 100_001} + (1 | g)",
    "the whole keyboard": "".join(map(chr, range(32, 127))) * 1_000,
    "nothing": "",
    "a space": " ",
    "a null": "\0",
    "a surrogate": "y ~ \ud800 + (1 | g)",
    "lines": "y ~\nx\n+ (1 |\r\n g)",
    "a second line": "y ~ x + (1 | g)\nz ~ u",
    "a comment": "y ~ x + (1 | g) # + z",
}


@pytest.mark.parametrize("name", MONSTERS)
def test_a_monster_is_refused_or_fitted_in_time(name: str) -> None:
    made = outcome(MONSTERS[name])
    if isinstance(made, UserError):
        assert len(str(made)) < 10_000  # a message for a person


def test_a_column_beside_the_formula_is_never_in_the_design() -> None:
    """The check of the mutations can fail."""
    design = build_design("y ~ x + `wait days` + (1 | g)", TABLE, "g")
    assert named_columns(design, TABLE) - words("y ~ x + (1 | g)") == {"wait days"}


def test_what_takes_too_long_is_stopped() -> None:
    def work_for_ever() -> None:
        while True:
            pass

    with pytest.raises(TimeoutError), no_longer_than(0.05):
        work_for_ever()


# ------------------------------------------------------------------------------------------- nothing is executed

# {marker} is a file that must not be there afterwards.
ATTEMPTS = [
    "__import__('os').system('touch {marker}')",
    "__import__('pathlib').Path('{marker}').touch()",
    "open('{marker}', 'w')",
    "exec(\"open('{marker}', 'w')\")",
    "eval(\"open('{marker}', 'w')\")",
    "eval(parse(text = \"file.create('{marker}')\"))",
    "system('touch {marker}')",
    "system2('touch', '{marker}')",
    "base::system('touch {marker}')",
    "base:::system('touch {marker}')",
    "file.create('{marker}')",
    'do.call("file.create", list("{marker}"))',
    "(function(x) file.create('{marker}'))(x)",
    "(\\(x) file.create('{marker}'))(x)",
    "(lambda: open('{marker}', 'w'))()",
    "I((lambda v: open('{marker}', 'w'))(x))",
    "(m := open('{marker}', 'w'))",
    "I(m <- file.create('{marker}'))",
    "I([open('{marker}', 'w') for i in (1, 2)])",
    "I({{open('{marker}', 'w')}})",
    "f\"{{open('{marker}', 'w')}}\"",
    'I(f\'{{__import__("os").system("touch {marker}")}}\')',
    "I('%s' % open('{marker}', 'w'))",
    "x.__class__.__base__.__subclasses__()",
    "x.__array__().__class__",
    "x.apply(open('{marker}', 'w').write)",
    "np.random.seed(open('{marker}', 'w'))",
    "x.to_csv('{marker}')",
    "to_csv(x, '{marker}')",
    "write.csv(x, '{marker}')",
    "sink('{marker}')",
    "log.__globals__['__builtins__']['open']('{marker}', 'w')",
    "log(x)(open('{marker}', 'w'))",
    "log(open('{marker}', 'w'))",
    "log(x, base = open('{marker}', 'w'))",
    "poly(x, degree = open('{marker}', 'w'))",
    "C(arm, open('{marker}', 'w'))",
    "C(arm, function(n) file.create('{marker}'))",
    "cut(x, c(1, open('{marker}', 'w')))",
    "relevel(arm, ref = open('{marker}', 'w'))",
    "ifelse(x > 0, open('{marker}', 'w'), 0)",
    "`open`('{marker}', 'w')",
    "`open('{marker}', 'w')`",
    "`+`(x, file.create('{marker}'))",
    "x$y",
    "x@y",
    "x[open('{marker}', 'w')]",
    "x[[1]]",
    "pkg::f(x)",
    "@open('{marker}', 'w')",
    "{{open('{marker}', 'w')}}",
    "x; open('{marker}', 'w')",
    "x\nimport os\nos.system('touch {marker}')",
    "x if open('{marker}', 'w') else z",
    "'x' + open('{marker}', 'w')",
    "get('x')",
    "globals()",
    "Q('x')",
    "C(arm, levels = __import__('os').system('touch {marker}'))",
    "lag(open('{marker}', 'w'), 1)",
    "%(open)s",
    "$(touch {marker})",
    "`touch {marker}`",
]
PLACES = ["y ~ {} + (1 | g)", "y ~ x + ({} | g)", "{} ~ x + (1 | g)", "y ~ x + (1 | {})", "y ~ I({}) + (1 | g)"]
PLACES += ["y ~ x + offset({}) + (1 | g)", "y ~ x + (1 | g) + {}"]


@pytest.mark.parametrize("attempt", ATTEMPTS)
@pytest.mark.parametrize("place", PLACES)
def test_code_is_refused_and_not_executed(attempt: str, place: str, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    formula = place.format(attempt.format(marker=marker))
    assert isinstance(outcome(formula), UserError)
    assert check_formula(formula, COLUMNS, "g") != []
    assert not marker.exists()


CODE = [
    "__import__('os').system('touch {marker}')",
    'open("{marker}", "w")',
    "system('touch {marker}')",
    "x + z",
    "(1 | g)",
    "log(x)",
    "I(x^2)",
    "C(arm)",
    "{{x}}",
    "x:z",
    "__class__",
    "lambda: x",
    "TRUE",
    "x = 1",
    "@x",
    "# x",
    "'quoted'",
    "(Intercept)",
    "%s",
    "$x",
]


@pytest.mark.parametrize("code", CODE)
def test_a_name_that_is_code_is_a_column_in_backticks(code: str, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    name = code.format(marker=marker)
    table = TABLE.assign(**{name: TABLE["u"] ** 2})
    design = build_design(f"y ~ `{name}` + (1 + `{name}` | g)", table, "g")
    # R: colnames(model.matrix(~ `x + z`, data.frame(`x + z` = 1:2, check.names = FALSE)))
    assert design.fixed_terms == design.random_terms == ("(Intercept)", f"`{name}`")
    np.testing.assert_array_equal(design.x[:, 1], TABLE["u"] ** 2)
    np.testing.assert_array_equal(design.z[:, 1], TABLE["u"] ** 2)
    transformed = build_design(f"y ~ I(`{name}` / 2) + (1 | g)", table, "g")
    np.testing.assert_array_equal(transformed.x[:, 1], TABLE["u"] ** 2 / 2)
    assert not marker.exists()


@pytest.mark.parametrize("code", CODE)
def test_levels_and_groups_that_are_code_are_labels(code: str, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    label, group = code.format(marker=marker), f"group {code.format(marker=marker)}"
    arm = TABLE["arm"].cat.rename_categories({"Yes": label})
    table = TABLE.assign(arm=arm, **{group: f"{label} " + TABLE["g"]})
    design = build_design(f"y ~ arm * x + (arm | `{group}`)", table, group)
    assert design.fixed_terms == ("(Intercept)", f"arm{label}", "x", f"arm{label}:x")
    np.testing.assert_array_equal(design.x[:, 1], TABLE["arm"] == "Yes")
    assert design.group_labels[0] == f"{label} {TABLE['g'][0]}"
    assert not marker.exists()


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system ['touch {marker}']",
        "!!python/object/new:os.system ['touch {marker}']",
        "!!python/name:os.system",
        "!!python/module:os",
        "!!python/object/apply:builtins.open ['{marker}', 'w']",
        "!<tag:yaml.org,2002:python/object/apply:os.system> ['touch {marker}']",
        "!open {{file: '{marker}'}}",
    ],
)
def test_a_tag_that_makes_an_object_is_refused_in_a_config(tag: str, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    text = f"models:\n  m: {{formula: y}}\n  n: {tag.format(marker=marker)}\n"
    with pytest.raises(UserError, match=r"c\.yaml, line 3, column 6: this is not YAML: could not determine a constr"):
        check_yaml(text.encode(), "c.yaml")
    assert not marker.exists()
