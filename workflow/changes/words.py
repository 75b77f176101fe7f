"""What differs between two runs, in one paragraph."""

from collections.abc import Iterator, Mapping, Sequence
from math import isinf

from twolevel.errors import counted, listed

from changes.comparison import Comparison
from changes.data import DataChanges
from changes.moves import Move

# How many names a sentence has before it counts the others.
MOST_NAMES = 3


def paragraph(comparison: Comparison) -> str:
    """What differs, the data first, in sentences."""
    return " ".join(filter(None, [*data_sentences(comparison.data), *_results(comparison)]))


def data_sentences(data: DataChanges | None) -> Iterator[str]:
    """How the data differ."""
    if data is None:
        yield "The data were not compared, since one of the two runs does not remember them."
        return
    rows, groups = len(data.after.cells), len(data.after.group_sizes())
    if not data:
        yield f"The data are the same: {counted(rows, 'row')} in {counted(groups, 'group')}."
        return
    yield from _columns(data)
    yield from _groups(data)
    yield from _rows(data)


def _columns(data: DataChanges) -> Iterator[str]:
    for verb, names in (("added", data.columns_added), ("removed", data.columns_removed)):
        if names:
            yield f"{_start('column', names)} {is_are(len(names))} {verb}."
    for old, new in data.columns_renamed.items():
        yield f"Column {old} is now called {new}."
    for column, levels in data.levels.items():
        for new, old in levels.respelled.items():
            yield f"Level {old} of {column} is now written {new}."
        for verb, counts in (("added", levels.added), ("removed", levels.removed)):
            if counts:
                yield f"{_start('level', list(counts))} of {column} {is_are(len(counts))} {verb}."
        if levels.reordered:
            before, after = levels.reordered
            yield f"The levels of {column} stand in the order {first_few(after)}; they stood as {first_few(before)}."


def _groups(data: DataChanges) -> Iterator[str]:
    for verb, groups in (("added", data.groups_added), ("removed", data.groups_removed)):
        if groups:
            has = "It has" if len(groups) == 1 else "They have"
            start = f"{_start('group', list(groups))} ({data.after.group})"
            yield f"{start} {is_are(len(groups))} {verb}. {has} {counted(sum(groups.values()), 'row')}."


def _rows(data: DataChanges) -> Iterator[str]:
    elsewhere = " of groups that both have" if data.groups_added or data.groups_removed else ""
    for verb, rows in (("added", data.added), ("removed", data.removed)):
        if len(rows):
            yield f"{counted(len(rows), 'row')}{elsewhere} {is_are(len(rows))} {verb}."
    if len(data.altered):
        columns = [f"{column} in {count:,}" for column, count in data.altered_columns.items()]
        yield f"{counted(len(data.altered), 'row')} {is_are(len(data.altered))} altered: {first_few(columns)}."
    groups = data.altered_groups
    if groups:
        most = next(iter(groups.items()))
        of = f"{data.after.group} {most[0]}"
        if len(groups) == 1:
            yield f"{'They are' if most[1] > 1 else 'It is'} in {of}."
        else:
            yield f"They are in {counted(len(groups), 'group')}, {most[1]:,} of them in {of}."


def _results(comparison: Comparison) -> Iterator[str]:
    moves = comparison.moves
    if not moves:
        yield f"None of the {comparison.estimates:,} estimates moved." if comparison.estimates else ""
    else:
        said = f"{len(moves):,} of {counted(comparison.estimates, 'estimate')} moved"
        first = next((move for move in moves if not isinf(move.size)), None)
        yield f"{said}; the one that moved most is {move_words(first)}." if first else f"{said}."
    yield from _verdicts(comparison)
    if comparison.pictures:
        shown = len({*comparison.before.thumbnails, *comparison.after.thumbnails})
        count = len(comparison.pictures)
        yield f"{count} of {counted(shown, 'figure')} {'differs' if count == 1 else 'differ'}."
    if comparison.rows:
        differ = "s" if len(comparison.rows) == 1 else ""
        yield f"In all, {counted(len(comparison.rows), 'row')} of the results differ{differ} by more than rounding."


def _verdicts(comparison: Comparison) -> Iterator[str]:
    tests, fits, ledger = map(comparison.verdicts_on, ("test", "fit", "ledger"))
    if tests:
        names = [f"{test.name} of {test.where}" for test in tests]
        yield f"{counted(len(tests), 'test')} {has_have(len(tests))} another verdict at 5 %: {first_few(names)}."
    elif comparison.moves:
        yield "No test has another verdict at 5 %."
    if fits:
        names = list(dict.fromkeys(fit.where for fit in fits))
        yield f"What is said of the fit is another for {first_few(names)}."
    if ledger:
        yield f"{counted(len(ledger), 'number')} of the ledger {has_have(len(ledger))} another verdict."


def move_words(move: Move) -> str:
    """An estimate that moved."""
    before, after = (f"{value:.6g}" if value is not None else "" for value in (move.before, move.after))
    size = f"{abs(move.size):.2g}"
    errors = "standard error" if size == "1" else "standard errors"
    return f"{move.name} of {move.model}, from {before} to {after}, by {size} {errors}"


def first_few(names: Sequence[str]) -> str:
    """A few names as a list in words, with the number of those left out."""
    shown = [*names[:MOST_NAMES]]
    if len(names) > MOST_NAMES:
        shown.append(f"{len(names) - MOST_NAMES:,} more")
    return listed(shown)


def is_are(count: int) -> str:
    """The verb for so many."""
    return "is" if count == 1 else "are"


def has_have(count: int) -> str:
    """The verb for so many."""
    return "has" if count == 1 else "have"


def _start(noun: str, names: Sequence[str] | Mapping[str, int]) -> str:
    plural = "" if len(names) == 1 else "s"
    return f"{noun[:1].upper()}{noun[1:]}{plural} {first_few(list(names))}"
