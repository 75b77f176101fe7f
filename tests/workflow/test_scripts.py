"""Scripts read tables as they were written: a term or a group called NA is a name, not a missing value."""

import json

import draw_figures
import explain_variance
import numpy as np
import pandas as pd
import pytest

NAMES = [["NA", "null"], ["NA", "NA"], ["1", "2"], ["true", "false"]]


@pytest.mark.parametrize("names", NAMES)
def test_a_figure_s_names_stay_text(names, tmp_path) -> None:
    file = tmp_path / "effects.csv"
    pd.DataFrame({"group": names, "term": names, "effect": [1.5, np.nan]}).to_csv(file, index=False)
    table = draw_figures._read(str(file))
    assert table["group"].tolist() == names
    assert table["term"].tolist() == names
    np.testing.assert_array_equal(table["effect"], [1.5, np.nan])


def test_the_variance_explained_of_a_term_called_null(tmp_path) -> None:
    files = []
    for model, variance in (("base", 4.0), ("full", 3.0)):
        files.append(tmp_path / model / "random_effects.csv")
        files[-1].parent.mkdir()
        group, terms = ["g", "Residual"], ["null", np.nan]
        table = pd.DataFrame({"group": group, "term_1": terms, "term_2": np.nan, "vcov": [variance, 1.0]})
        table.assign(sdcor=np.sqrt(table["vcov"])).to_csv(files[-1], index=False)
    fit = {"fingerprint": {"data": "d", "library": "l"}, "response": "y", "group": "g"}
    fit |= {"estimator": "REML", "n_obs": 9, "left_out": {"rows": 0, "missing": {}}}
    fits = [file.with_name("fit.json") for file in files]
    for path in fits:
        path.write_text(json.dumps(fit), encoding="utf-8")
    paths = ([str(path) for path in kind] for kind in (fits, files))
    explain_variance.main(*paths, str(tmp_path / "out.csv"), {"full": "base"})
    made = pd.read_csv(tmp_path / "out.csv", keep_default_na=False, na_values=[""]).set_index("term")
    # (4 - 3) / 4 (Raudenbush & Bryk 2002, p. 74)
    assert made.loc["null", "explained"] == 0.25
