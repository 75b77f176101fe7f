"""Write a study's folder from a table: the data, and a configuration with comments that runs as written (`make new`).

What the table says of itself is taken from it: types, levels, labels, which columns belong to groups, how many values
are missing. What it cannot say is marked CHOOSE.
"""

import argparse
import math
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd
import yaml
from planned import mistaken_plans
from twolevel.data.config import check_config, with_defaults
from twolevel.data.kinds import as_number, as_text
from twolevel.data.look_alikes import look_alikes
from twolevel.data.reading import Choices, FileRead
from twolevel.data.source import read_file, suffix_of, without_use
from twolevel.errors import UserError, some
from twolevel.model.expression import quoted
from twolevel.model.variables import alphabetical
from yaml.reader import Reader

ROOT = Path(__file__).resolve().parents[1]
# A text with more different values names rows; so does one whose values do not come again.
MOST_LEVELS = 12
# Words among numbers that are as rare as that are marks, and no levels of a factor.
RARE = 0.05
# A factor with more is no predictor to begin with.
FEW_LEVELS = 6
CHOOSE = "# CHOOSE:"


@dataclass(frozen=True)
class Described:
    """A column as the configuration declares it.

    Attributes
    ----------
    kind : identifier, factor or number
    levels : of a factor
    of_groups : whether all rows of a group have the same value
    said : what a person should know of it
    """

    name: str
    kind: str
    levels: tuple[str, ...]
    of_groups: bool
    label: str
    said: str


def describe(read: FileRead, group: str, response: str) -> list[Described]:
    """Describe each column that can be declared; one without two different values cannot."""
    described = []
    if read.table[group].nunique() < 2:
        raise UserError(f"GROUP: column {group!r} has one value or none; expected two groups or more.")
    for name in map(str, read.table.columns):
        values = read.table[name]
        if name not in (group, response) and values.nunique() < 2:
            continue
        kind, levels, why = ("identifier", (), "") if name == group else _kind(values)
        if name == response:
            if as_number(values.dropna()).isna().any() or values.nunique() < 2:
                present = as_text(values.dropna())
                found = _shown(present[as_number(values.dropna()).isna()]) or _shown(present) or "no value"
                raise UserError(
                    f"RESPONSE: column {name!r} has {found}; expected different numbers. Name another column."
                )
            if as_number(values).groupby(read.table[group], observed=True).nunique().max() < 2:
                raise UserError(
                    f"RESPONSE: column {name!r} has one value in each {group}; expected one that varies within "
                    "groups. Name another column, or another GROUP."
                )
            kind, levels, why = "number", (), ""
            if values.nunique() == 2:
                why = f"{CHOOSE[2:]} a linear model, of a response of two values? A logistic one cannot be fitted here"
        present = values[values.notna() & read.table[group].notna()]
        of_groups = name not in (group, response) and bool(
            (as_text(present).groupby(read.table[group], observed=True).unique().map(len) <= 1).all()
        )
        missing = int(values.isna().sum())
        count = f"{missing} of {len(values)} missing" if missing else "none missing"
        said = "; ".join(filter(None, [_spread(values, kind), count, why]))
        described.append(Described(name, kind, levels, of_groups, read.labels.get(name) or name, said))
    return described


def _kind(values: pd.Series) -> tuple[str, tuple[str, ...], str]:
    """What a column is, its levels, and what was not certain."""
    if pd.api.types.is_bool_dtype(values):
        return "factor", ("FALSE", "TRUE"), ""
    if isinstance(values.dtype, pd.CategoricalDtype):
        used = set(values.dropna())
        return "factor", tuple(str(level) for level in values.cat.categories if level in used), ""
    if pd.api.types.is_datetime64_any_dtype(values):
        return "identifier", (), f"dates {CHOOSE[2:]} a number of days, where a model is to use them"
    present = values.dropna()
    if as_number(present).notna().all():
        if present.nunique() == len(present) and (as_number(present) % 1 == 0).all():
            return "identifier", (), f"{CHOOSE[2:]} a number, if these are not the names of rows"
        of_two = present.nunique() == 2
        return "number", (), f"{CHOOSE[2:]} or a factor, of two values" if of_two else ""
    levels = list(alphabetical(as_text(present).unique()))
    words = as_text(present)[as_number(present).isna()]
    few_levels = len(levels) <= min(MOST_LEVELS, len(present) / 2)
    if len(words) < RARE * len(present) or (len(words) < len(present) / 2 and not few_levels):
        why = f"{CHOOSE[2:]} a number, once the file has these otherwise or empty: {_shown(words)}"
        return "identifier", (), why
    if len(levels) <= MOST_LEVELS and len(levels) < len(present):
        return "factor", tuple(levels), f"{CHOOSE[2:]} the first level is compared with, here by the alphabet"
    return "identifier", (), ""


def _shown(words: pd.Series) -> str:
    """The first few different words in one line, whatever is in them: no more than the beginning of a long one."""
    return some(repr(word if len(word) <= 20 else f"{word[:20]}...") for word in words.unique())


def _spread(values: pd.Series, kind: str) -> str:
    if kind == "number":
        numbers = as_number(values)
        return f"{numbers.min():g} to {numbers.max():g}"
    return f"{values.nunique()} different" if kind == "identifier" else ""


def configuration(read: FileRead, file: str, group: str, response: str, name: str, choices: Choices) -> str:
    """Write the configuration: the data as described, and the first models of a textbook.

    Parameters
    ----------
    file : the path of the data, from the study's folder
    """
    columns = describe(read, group, response)
    return "\n".join(
        [*_data(read, columns, file, group, name, choices), *_models(read.table, columns, group, response), ""]
    )


def _data(
    read: FileRead, columns: list[Described], file: str, group: str, name: str, choices: Choices
) -> Iterator[str]:
    made_from = _quoted(Path(file).name)
    yield f"# {name}: written by `make new` from {made_from}. {CHOOSE[2:-1]} marks what the file could not say."
    yield "# Keys that are left out have the values in the README; what recipes there are: docs/data.md."
    yield "data:"
    yield f"  name: {name}"
    yield f"  title: {_quoted(name)}                  {CHOOSE} the name of the data in the report"
    yield f"  mode: {_quoted(file)}"
    yield from (f"  {key}: {_quoted(choice)}" for key, choice in choices.made().items())
    yield f"  group: {_quoted(group)}                  # {read.table[group].nunique()} groups, {len(read.table)} rows"
    yield f"  {CHOOSE} what you call one group and one row."
    yield "  group_noun: {singular: group, plural: groups}"
    yield "  observation_noun: {singular: observation, plural: observations}"
    yield "  # group_level: the same for all rows of a group (level 2). The first level of a factor is compared with."
    yield "  columns:"
    for column in columns:
        declared = {"type": column.kind}
        written = [f"type: {column.kind}"]
        if column.levels:
            written.append(f"levels: [{', '.join(map(_quoted, column.levels))}]")
        if column.of_groups and declared["type"] != "identifier":
            written.append("group_level: true")
        written.append(f"label: {_quoted(column.label)}")
        yield f"    {_quoted(column.name)}: {{{', '.join(written)}}}  # {column.said}"
    left = [str(column) for column in read.table if str(column) not in {of.name for of in columns}]
    if left:
        yield f"  # Left out, with fewer than two different values: {', '.join(left)}."
    for unused, why in read.unreadable.items():
        yield f"  # Left out: {unused} holds {why}."
    for alike in look_alikes(read.table[group]):
        yield f"  {CHOOSE} are the groups {', '.join(map(repr, alike))} one? They count as different."
    yield ""


def _models(table: pd.DataFrame, columns: list[Described], group: str, response: str) -> Iterator[str]:
    """The empty model; the means by a predictor of level 2; the coefficients of one of level 1, fixed and random."""
    usable = [column for column in columns if column.name != response and column.kind != "identifier"]
    numbers = [column for column in usable if not column.of_groups and column.kind == "number"]
    # What numbers the rows of each group is a predictor only where nothing else is.
    first = min(numbers, key=lambda column: _counts(table[column.name], table[group]), default=None)
    second = next((column for column in usable if column.of_groups and len(column.levels) <= FEW_LEVELS), None)
    others = ", ".join(column.name for column in usable if column not in (first, second))
    y, g = quoted(response), quoted(group)
    predictor = first.name if first else ""
    if first and not _has_one_mean(table[first.name], table[group]):
        predictor = _new_name(f"{first.name}_within", table)
        label = _quoted(f"{first.label} (centred)")
        yield f"{CHOOSE} {first.name} less its group means; or as it is, where its zero has a meaning."
        yield "derive:"
        yield f"  {_quoted(predictor)}: {{centre_within_group: {_quoted(first.name)}, label: {label}}}"
        yield ""
    chosen = " and ".join(column.name for column in (first, second) if column)
    if chosen:
        rest = f"; there are {others} too" if others else ""
        yield f"{CHOOSE} the predictors. {chosen} came first in the file{rest}."
    yield "models:"
    formulas, missing = {"empty": f"{y} ~ (1 | {g})"}, {"empty": True}
    if second:
        formulas["means_as_outcomes"] = f"{y} ~ {quoted(second.name)} + (1 | {g})"
        missing["means_as_outcomes"] = _has_gaps(table, second, response)
    if first:
        x = quoted(predictor)
        formulas["random_intercept"] = f"{y} ~ {x} + (1 | {g})"
        # As many random effects as rows cannot be told from residuals.
        if len(table[[response, first.name]].dropna()) > 2 * table[group].nunique():
            formulas["random_coefficients"] = f"{y} ~ {x} + ({x} | {g})"
    for name, formula in formulas.items():
        # Variance explained compares models of the same rows.
        gaps = missing.get(name, first is not None and _has_gaps(table, first, response))
        end = "}" if gaps else ", baseline: empty}"
        why = f"  {CHOOSE} a baseline, once both have the same rows" if gaps and name != "empty" else ""
        yield f"  {name}: {{formula: {_quoted(formula)}{end}{why}"
    yield ""
    if (last := [*formulas][-1]) == "random_coefficients":
        yield "comparisons:"
        yield f"  slope_variance: {{null_model: random_intercept, alternative_model: {last}, estimator: REML}}"
        yield ""
    yield "# Without `figures`, the checks of every model and each interaction are drawn; other kinds: docs/results.md."


def _has_gaps(table: pd.DataFrame, column: Described, response: str) -> bool:
    """Whether a model with the column leaves out rows that one without it has."""
    return bool(table[column.name][table[response].notna()].isna().any())


def _has_one_mean(values: pd.Series, groups: pd.Series) -> bool:
    """Whether every group has the same mean, as with days that are the same for all: then nothing is to be centred."""
    numbers = as_number(values)
    means = numbers.groupby(groups, observed=True).mean()
    return bool(means.max() - means.min() <= 1e-9 * numbers.std())


def _counts(values: pd.Series, groups: pd.Series) -> bool:
    """Whether a column numbers the rows of each group, from one."""
    numbers = as_number(values)
    place = numbers.groupby(groups, observed=True).rank()
    return bool((numbers == place).all())


def _new_name(name: str, table: pd.DataFrame) -> str:
    return name if name not in table else _new_name(f"{name}_", table)


def _quoted(text: str) -> str:
    """A text as YAML: in quotes, unless it can be nothing but a text."""
    plain = re.fullmatch(r"[A-Za-z][\w./-]*", text) and yaml.safe_load(text) == text
    return text if plain else yaml.safe_dump(text, default_style='"', allow_unicode=True, width=math.inf).rstrip("\n")


def write_study(data: Path, group: str, response: str, name: str, studies: Path, choices: Choices) -> Path:
    """Write the folder of a study; return its configuration's path."""
    if not data.is_file():
        raise UserError(f"DATA: there is no file {str(data)!r} in {Path.cwd()}; correct the path.")
    content = data.read_bytes()
    for choice, kinds, _ in without_use({"mode": data.name} | choices.made()):
        raise UserError(f"--{choice}: it is for files that end in {kinds}, and DATA is {data.name!r}; leave it out.")
    read = read_file(content, suffix_of(data.name), str(data), choices)
    if read.table.empty:
        raise UserError(f"DATA: {data} has a header and no rows; expected a row for each observation below the header.")
    if nameless := [i for i, column in enumerate(read.table.columns, 1) if not str(column).strip()]:
        raise UserError(
            f"DATA: column {nameless[0]} of {data} has no name in the header; expected a name for each column. "
            "Give it one, or remove it (R writes such a column of row names, unless row.names = FALSE)."
        )
    names = [*map(str, read.table.columns), *read.unreadable]
    if broken := [column for column in names if column.splitlines() != [column] or Reader.NON_PRINTABLE.search(column)]:
        raise UserError(
            f"DATA: column {broken[0]!r} of {data} has a line break or a control character in its name; expected a "
            "name in one line that can be printed. Rename it."
        )
    for key, column in (("GROUP", group), ("RESPONSE", response)):
        if column not in read.table:
            raise UserError(
                f"{key}: {data} has no column {column!r}; it has {', '.join(map(str, read.table.columns))}."
            )
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise UserError(f"NAME: found {name!r}; expected a name of letters, digits, '_' and '-', since it names files.")
    folder = studies / name
    if folder.exists():
        raise UserError(f"NAME: {folder} is there already; give another NAME, or remove it.")
    text = configuration(read, f"data/{data.name}", group, response, name, choices)
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))
    check_config(with_defaults(yaml.safe_load(text), schema), schema, f"{folder}/config.yaml", mistaken_plans)
    (folder / "data").mkdir(parents=True)
    (folder / "data" / data.name).write_bytes(content)
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    return folder / "config.yaml"


def main() -> None:
    """Write the study that the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for key in ("data", "group", "response"):
        parser.add_argument(f"--{key}", required=True)
    parser.add_argument("--name")
    for of in fields(Choices):
        parser.add_argument(f"--{of.name}")
    args = parser.parse_args()
    if not (args.data and args.group and args.response):
        raise UserError("Say which table, as in: make new DATA=pupils.sav GROUP=class RESPONSE=popular")
    name = args.name or re.sub(r"[^A-Za-z0-9_-]+", "_", Path(args.data).name.partition(".")[0])
    choices = Choices(**{of.name: getattr(args, of.name) or None for of in fields(Choices)})
    written = write_study(Path(args.data), args.group, args.response, name, ROOT / "studies", choices)
    shown = written.relative_to(ROOT)
    sys.stdout.write(f"{shown} is written. Look for {CHOOSE[2:-1]} in it, then: make report STUDY={shown.parent}\n")


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {error}")
