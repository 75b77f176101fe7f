"""How a table differs from an earlier one: small tables whose differences are counted by hand."""

import numpy as np
import pandas as pd
import pytest
from changes.data import DataChanges, compare_data
from changes.digest import Digest, digest_files, digest_of, read_digest
from changes.words import data_sentences
from twolevel.errors import UserError


@pytest.fixture
def table() -> pd.DataFrame:
    """Four classes of five pupils; a class's size is the same for all of it."""
    rng = np.random.default_rng(4)
    classes = np.repeat(["a", "b", "c", "d"], 5)
    return pd.DataFrame(
        {
            "class": classes,
            "size": np.repeat([30, 31, 32, 33], 5),
            "sex": pd.Categorical(rng.choice(["m", "f"], 20), ["m", "f"]),
            "iq": rng.normal(100, 15, 20),
            "score": rng.normal(size=20),
        }
    )


def compared(before: pd.DataFrame, after: pd.DataFrame, key: tuple[str, ...] = ()) -> DataChanges:
    """By what the earlier table leaves behind in files."""
    old = digest_of(before, "class", key)
    return compare_data(read_digest(*digest_files(old)), digest_of(after, "class", key))


def said(changes: DataChanges) -> str:
    return " ".join(data_sentences(changes))


def test_the_same_table_is_the_same_in_any_order_and_read_from_texts(table: pd.DataFrame) -> None:
    shuffled = table.sample(frac=1, random_state=1)
    texts = pd.DataFrame({name: [str(value) for value in table[name]] for name in table})
    whole = table.assign(size=table["size"].astype(float))
    for other in (table, shuffled, texts, whole):
        changes = compared(table, other)
        assert not changes
        assert said(changes) == "The data are the same: 20 rows in 4 groups."


def test_a_number_differs_by_its_last_bit_and_not_by_the_sign_of_zero(table: pd.DataFrame) -> None:
    zero = table.assign(score=[0.0, *table["score"][1:]])
    assert not compared(zero, zero.assign(score=[-0.0, *table["score"][1:]]))
    last = table.assign(score=[np.nextafter(table["score"][0], 9), *table["score"][1:]])
    assert compared(table, last).altered_columns == {"score": 1}


@pytest.mark.parametrize("key", [(), ("id",), ("class", "number")])
def test_altered_rows_are_found_with_and_without_a_key(table: pd.DataFrame, key: tuple[str, ...]) -> None:
    table = table.assign(id=range(20), number=[*range(5)] * 4)
    changed = table.copy()
    changed.loc[[3, 7, 8], "score"] += 1
    changed.loc[8, "iq"] = 99
    # With a key the order does not count; without one, neither.
    changes = compared(table, changed[::-1], key)
    assert changes.altered_columns == {"score": 3, "iq": 1}
    assert changes.altered_groups == {"b": 2, "a": 1}
    assert sorted(changes.altered["before"]) == [3, 7, 8]
    assert said(changes) == ("3 rows are altered: score in 3 and iq in 1. They are in 2 groups, 2 of them in class b.")


def test_rows_that_come_and_go_are_told_from_altered_ones(table: pd.DataFrame) -> None:
    new = pd.DataFrame({"class": ["a"], "size": [30], "sex": ["m"], "iq": [80.5], "score": [9.5]})
    changes = compared(table, pd.concat([table.drop(index=2), new], ignore_index=True))
    # Of three columns that vary within classes the new row has one in common with the old, by chance, or none.
    assert (len(changes.added), len(changes.removed), len(changes.altered)) == (1, 1, 0)
    assert changes.removed.tolist() == [2]
    assert changes.added.tolist() == [19]
    assert said(changes) == "1 row is added. 1 row is removed. They are in class a."


def test_a_pupil_of_two_equal_ones_who_leaves_is_one(table: pd.DataFrame) -> None:
    twins = pd.concat([table, table.iloc[[4]]], ignore_index=True)
    assert len(compared(twins, table).removed) == 1
    assert len(compared(table, twins).added) == 1


def test_a_column_of_the_groups_alters_all_rows_of_a_group(table: pd.DataFrame) -> None:
    changes = compared(table, table.assign(size=table["size"].replace(31, 35)))
    assert said(changes) == "5 rows are altered: size in 5. They are in class b."


def test_two_columns_at_once_are_paired_by_the_others(table: pd.DataFrame) -> None:
    # As where a score of one pupil changes, and with it the class's mean in the file.
    changed = table.assign(size=table["size"].replace(32, 40))
    changed.loc[12, "score"] = 5
    changes = compared(table, changed)
    assert changes.altered_columns == {"size": 5, "score": 1}
    assert changes.altered["before"].tolist() == changes.altered["after"].tolist() == [10, 11, 12, 13, 14]
    assert not len(changes.added)


def test_groups_that_come_and_go_are_named_and_their_rows_are_not(table: pd.DataFrame) -> None:
    new = table[table["class"] == "a"].assign(**{"class": "e"})
    changes = compared(table, pd.concat([table[table["class"] != "d"], new, new.assign(**{"class": "f"})]))
    assert changes.groups_added == {"e": 5, "f": 5}
    assert changes.groups_removed == {"d": 5}
    assert not len(changes.added)
    assert not len(changes.removed)
    assert said(changes) == (
        "Groups e and f (class) are added. They have 10 rows. Group d (class) is removed. It has 5 rows."
    )


def test_columns_that_come_go_and_change_their_name(table: pd.DataFrame) -> None:
    changed = table.drop(columns="size").rename(columns={"iq": "IQ"}).assign(age=9)
    changes = compared(table, changed)
    assert (changes.columns_added, changes.columns_removed) == (("age",), ("size",))
    assert changes.columns_renamed == {"iq": "IQ"}
    assert not len(changes.altered)
    assert said(changes) == "Column age is added. Column size is removed. Column iq is now called IQ."


def test_a_column_of_other_values_is_not_the_old_one_renamed(table: pd.DataFrame) -> None:
    changes = compared(table, table.drop(columns="iq").assign(IQ=table["iq"] + 1))
    assert not changes.columns_renamed
    assert (changes.columns_added, changes.columns_removed) == (("IQ",), ("iq",))


def test_levels_that_are_respelled_or_reordered_alter_no_row(table: pd.DataFrame) -> None:
    respelled = table.assign(sex=table["sex"].cat.rename_categories({"f": "female"}))
    changes = compared(table, respelled)
    assert not len(changes.altered)
    assert said(changes) == "Level f of sex is now written female."
    reordered = compared(table, table.assign(sex=table["sex"].cat.reorder_categories(["f", "m"])))
    assert not len(reordered.altered)
    assert said(reordered) == "The levels of sex stand in the order f and m; they stood as m and f."
    # Texts have no order of their own.
    assert not compared(table, table.assign(sex=table["sex"].astype(str)))


def test_one_of_two_numbers_that_becomes_a_word_alters_no_row(table: pd.DataFrame) -> None:
    coded = table.assign(sex=(table["sex"] == "m").astype(int))
    changes = compared(coded, table.assign(sex=coded["sex"].map({0: "0", 1: "male"})))
    assert said(changes) == "Level 1 of sex is now written male."


def test_a_level_that_is_new_is_told_with_its_rows(table: pd.DataFrame) -> None:
    sex = table["sex"].astype(str)
    sex[[0, 6]] = "x"
    changes = compared(table, table.assign(sex=sex))
    assert changes.levels["sex"].added == {"x": 2}
    assert changes.altered_columns == {"sex": 2}


def test_missing_values_differ_from_others(table: pd.DataFrame) -> None:
    changed = table.astype({"score": float})
    changed.loc[4, "score"] = np.nan
    assert compared(table, changed).altered_columns == {"score": 1}
    assert not compared(changed, changed)
    assert compared(changed, table).altered_columns == {"score": 1}


def test_a_key_that_does_not_tell_rows_apart_is_refused(table: pd.DataFrame) -> None:
    with pytest.raises(UserError, match=r"data.key: two rows have size 30; name columns that together"):
        digest_of(table, "class", ["size"])
    with pytest.raises(UserError, match=r"data.key: the file has no column 'pupil'; its columns are class, size"):
        digest_of(table, "class", ["pupil"])


def test_many_altered_rows_of_one_large_group_are_compared_in_order() -> None:
    # More than 1,000 x 1,000 pairs: those at the same place are looked at.
    rng = np.random.default_rng(5)
    values = {"class": ["a"] * 1200, "sex": rng.choice(["m", "f"], 1200), "x": rng.normal(size=1200)}
    table = pd.DataFrame(values | {"y": rng.normal(size=1200), "z": rng.normal(size=1200)})
    changes = compared(table, table.assign(y=table["y"] + 1, z=table["z"] + 1))
    assert changes.altered_columns == {"y": 1200, "z": 1200}
    assert changes.altered["before"].tolist() == changes.altered["after"].tolist()


def test_the_digest_does_not_hold_the_values(table: pd.DataFrame) -> None:
    digest: Digest = digest_of(table, "class")
    content, about = digest_files(digest)
    assert read_digest(content, about).cells.equals(digest.cells)
    for value in table["score"]:
        assert repr(float(value)) not in str(about)
    assert digest.cells.dtypes.eq("uint32").all()
