"""The story of High School and Beyond: which data it knows for the vignette's, and what it refuses."""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from hsb.narrative import tell
from hsb.narrative.facts import same_data
from report.test_report import results
from twolevel.errors import UserError
from twolevel.report.contents import contents

ROOT = Path(__file__).resolve().parents[2]


def test_a_narrative_about_other_models_is_refused():
    with pytest.raises(
        UserError, match=r"report.narrative: the narrative 'hsb' needs the model .*Set narrative to null"
    ):
        contents(results(), tell)


# Whether the data are the vignette's: of each column one group or one observation is another.


@pytest.fixture(scope="module")
def criteria(models):
    """The criteria of the models that are held, fitted to a table as the pipeline fits them."""
    names = ("random_coefficients", "intercepts_and_slopes", "random_intercept", "random_intercept_minority")

    def of(table):
        fitted = models if table is models.table else type(models)(models.config, table)
        both = {name: fitted[name] for name in names}
        return {
            name: SimpleNamespace(fit={"criterion": fit.reml.criterion, "ml": {"criterion": fit.ml.criterion}})
            for name, fit in both.items()
        }

    return of


PUBLISHED = pd.read_csv(ROOT / "studies/hsb/published.csv", dtype=str, keep_default_na=False)


def test_the_vignette_s_own_data_are_known_by_the_criteria_that_it_prints(models, criteria):
    found = criteria(models.table)
    assert same_data(found, PUBLISHED)
    assert not same_data(found, None)
    assert not same_data(found, PUBLISHED[PUBLISHED["model"] != "mod4"])


@pytest.mark.parametrize(
    ("column", "rows", "other"),
    [
        ("minority", slice(0, 1), {"No": "Yes", "Yes": "No"}),  # one student
        ("sector", slice(0, 47), {"Public": "Catholic", "Catholic": "Public"}),  # the first school: 47 students
        ("mean.ses", slice(0, 47), 0.1),
        ("cses", slice(0, 1), 0.1),
        ("mathach", slice(0, 1), 1.0),
    ],
)
def test_other_data_in_any_column_are_seen(column, rows, other, models, criteria):
    table = models.table.copy()
    chosen = table.index[rows]
    assert len(set(table.loc[chosen, "school"])) == 1
    was = table.loc[chosen, column]
    table.loc[chosen, column] = was.astype(str).map(other) if isinstance(other, dict) else was + other
    assert not same_data(criteria(table), PUBLISHED)
