"""Write results/README.md from the tables that run.py, anatomy.py and scale.py wrote."""

import json
import math
from collections.abc import Callable

import pandas as pd
from peers import HERE

RESULTS = HERE / "results"
TASKS = {
    "test": "Bootstrap likelihood ratio test of minority, 1,000 samples",
    "intervals": "Bootstrap intervals of random coefficients, 500 samples",
}
HEAD = """\
# What was measured

`make bench` wrote this page and the tables beside it; [benchmarks/README.md](../README.md) says what is measured.
"""


def three(value: float) -> str:
    """Three significant digits, without an exponent; nothing for what is missing."""
    if math.isnan(value):
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:#.3g}".rstrip(".")


def of(part: pd.Series, whole: pd.Series) -> list[str]:
    """Say "m of n"; nothing for what is missing."""
    return ["" if math.isnan(n) else f"{m:.0f} of {n:.0f}" for m, n in zip(part, whole, strict=True)]


def markdown(table: pd.DataFrame) -> str:
    """Lay a table out."""
    number = [pd.api.types.is_numeric_dtype(table[name]) for name in table]
    cells = [
        [three(cell) if is_number else str(cell) for cell in table[name]]
        for name, is_number in zip(table, number, strict=True)
    ]
    rule = "".join(f" {'---:' if is_number else '---'} |" for is_number in number)
    lines = [
        f"| {' | '.join(table.columns)} |",
        f"|{rule}",
        *(f"| {' | '.join(row)} |" for row in zip(*cells, strict=True)),
    ]
    return "\n".join(lines) + "\n"


def speed() -> str:
    """Both tasks, from the slowest tool to the fastest."""
    table = pd.read_csv(RESULTS / "speed.csv")
    text = ""
    for task, title in TASKS.items():
        rows = table[table["task"] == task]
        full = rows["samples"].max()
        scaled = rows["samples"].map("; from {:.0f} samples".format).where(rows["samples"] < full, "")
        threads = rows["threads"].map("; {:.0f} threads".format).where(rows["threads"] > 1, "")
        shown = pd.DataFrame(
            {
                "tool": rows["tool"] + " " + rows["version"].fillna(""),
                "how": rows["how"].fillna("") + threads + scaled,
                "seconds": rows["seconds"],
                "times as fast as R": rows["times_r"],
                "missed optima": of(rows["missed"], rows["checked"]),
                "wrong": rows["wrong"].fillna("no"),
            }
        )
        text += f"\n## {title}\n\n{markdown(shown)}"
    return text


def targets() -> str:
    """Ratios beside what is asked for."""
    table = pd.read_csv(RESULTS / "targets.csv")
    table["reached"] = (table["measured"] >= table["wanted"]).map({True: "yes", False: "no"})
    return f"\n## Ratios, and what is asked for\n\n{markdown(table)}"


def replicate() -> str:
    """Where the time of a replicate goes."""
    table = pd.read_csv(RESULTS / "replicate.csv")
    shown = pd.DataFrame(
        {
            "part": table["part"],
            "microseconds": table["microseconds"],
            "share": table["share"].map("{:.0%}".format),
            "microseconds, arithmetic alone": table["floor_microseconds"],
            "times that": table["times_floor"],
        }
    )
    return f"\n## One replicate of random coefficients\n\n{markdown(shown)}"


def scale() -> str:
    """Time and memory by size."""
    table = pd.read_csv(RESULTS / "scale.csv")
    names = {
        "tool": "tool",
        "schools": "schools",
        "students": "students",
        "design_seconds": "design, s",
        "cross_products_seconds": "cross-products, s",
        "fit_seconds": "fit, s",
        "replicate_seconds": "replicate, s",
        "peak_gb": "peak memory, GB",
    }
    shown = table[list(names)].rename(columns=names)
    for count in ("schools", "students"):
        shown[count] = shown[count].map("{:,}".format)
    shown["replicate, s"] = shown["replicate, s"].map("{:.2g}".format)
    alt = "Two panels on logarithmic scales: a replicate's cost is flat in students and proportional to schools"
    return f"\n## Scale\n\n{markdown(shown)}\n![{alt}](scale.svg)\n"


def main() -> None:
    """Write the page from what there is."""
    page = HEAD
    machine = RESULTS / "machine.json"
    if machine.is_file():
        page += (
            "".join(f"\n- {name}: {what}" for name, what in json.loads(machine.read_text(encoding="utf-8")).items())
            + "\n"
        )
    sections: dict[str, Callable[[], str]] = {
        "targets.csv": targets,
        "speed.csv": speed,
        "replicate.csv": replicate,
        "scale.csv": scale,
    }
    page += "".join(section() for name, section in sections.items() if (RESULTS / name).is_file())
    (RESULTS / "README.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
