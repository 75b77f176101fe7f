"""Two tables, each as a notebook would read it, and models fitted to them through the public names."""

from pathlib import Path

import pandas as pd
import pytest
from twolevel import Result, fit

REFERENCE = Path(__file__).parents[1] / "reference"


@pytest.fixture(scope="session")
def sleepstudy() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "sleepstudy.csv")


@pytest.fixture(scope="session")
def clinics() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "cases/clinics.csv")


@pytest.fixture(scope="session")
def sleep(sleepstudy: pd.DataFrame) -> Result:
    return fit("Reaction ~ Days + (Days | Subject)", sleepstudy)


@pytest.fixture(scope="session")
def model3(hsb: pd.DataFrame) -> Result:
    """HSB's random_coefficients."""
    return fit("mathach ~ cses + (cses | school)", hsb)
