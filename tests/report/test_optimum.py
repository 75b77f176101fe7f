"""What the report says of how each optimum was found and confirmed."""

from dataclasses import replace

from twolevel.fitting.fit import SEARCHED
from twolevel.report.optimum import Audit, optimum_sentences

SOUND = Audit(
    "slopes", "slopes", 100.0, 5, 5, 1e-8, searched=True, bounded=0.0, repeats_lme4=True, singular=False, doubts=()
)


def said(*audits: Audit) -> list[str]:
    return [sentence for sentence in optimum_sentences(audits) if "MixedLM" in sentence]


def test_where_mixedlm_searched_from_the_optimum() -> None:
    stayed = "MixedLM, started at the optimum, ended at the same criterion in every model, to a millionth."
    assert said(SOUND, SOUND) == [stayed]
    (left,) = said(SOUND, replace(SOUND, called="wide", confirmed=0.5))
    assert left.endswith("ended a millionth or more from its criterion, or broke down, in wide.")


def test_where_mixedlm_gave_its_criterion_alone() -> None:
    assert SEARCHED == 200_000
    large = replace(SOUND, searched=False)
    assert said(large) == [
        "For slopes, with more than 200,000 observations, MixedLM did not search: it gave its criterion at the "
        "optimum, which is ours to a millionth."
    ]
    (other,) = said(replace(large, confirmed=0.5))
    assert other.endswith("which is a millionth or more from ours in slopes.")
