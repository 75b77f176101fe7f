"""Write data/exam.sav, as an SPSS user would have it, from the table `Exam` of the R package mlmRev.

Rscript -e 'write.csv(mlmRev::Exam, "Exam.csv", row.names = FALSE)'
python studies/exam/make_sav.py Exam.csv studies/exam/data/exam.sav
"""

import sys
from typing import Any

import pandas as pd
import pyreadstat

BANDS = {1: "bottom 25%", 2: "mid 50%", 3: "top 25%"}
# The columns with what the help page `mlmRev::Exam` says of them; `schavg` is left for `derive` to make.
LABELS: dict[str, str | None] = {
    "school": "school",
    "normexam": "exam score at 16, normalised",
    "standLRT": "London Reading Test at 11, standardised",
    "intake": "band of the intake score",
    "sex": "sex of the student",
    "schgend": "school gender",
    "vr": "band of the school's mean intake",
}
# Codes for the levels, in R's order.
VALUES: dict[str, Any] = {
    "intake": BANDS,
    "sex": {1: "F", 2: "M"},
    "schgend": {1: "mixed", 2: "boys", 3: "girls"},
    "vr": BANDS,
}
SHOWN: dict[str, Any] = {"sex": {1: "girl", 2: "boy"}}

exam = pd.read_csv(sys.argv[1])[list(LABELS)]
for column, levels in VALUES.items():
    exam[column] = exam[column].map({level: code for code, level in levels.items()}).astype(float)
pyreadstat.write_sav(
    exam,
    sys.argv[2],
    file_label="Exam scores from inner London",
    column_labels=LABELS,
    variable_value_labels=VALUES | SHOWN,
    variable_measure=dict.fromkeys(VALUES, "nominal"),
)
