"""What the page shows beside its own sections: models side by side, sentences and code to copy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from twolevel.output.prepared import Prepared, Snippet
from twolevel.output.python_code import mixedlm_model, python_model, python_test
from twolevel.output.r_code import r_model, r_test
from twolevel.output.stata_spss_code import spss_model, stata_model
from twolevel.output.words import Labels
from twolevel.report.apa import model_sentence, test_sentence
from twolevel.report.comparison import Comparison
from twolevel.report.model import Model
from twolevel.report.more_estimates import MoreEstimates, more_estimates
from twolevel.report.side_by_side import Sheet, sheets


@dataclass(frozen=True)
class Pieces:
    """The pieces, by the names of models and comparisons.

    Attributes
    ----------
    side_by_side : all models in one table, or in as few as fit
    more_estimates : of each model what a reader looks up
    model_code, test_code : code to copy
    model_sentences, test_sentences : a sentence to copy, empty where none would be true or of use
    """

    side_by_side: Sequence[Sheet]
    more_estimates: Mapping[str, MoreEstimates]
    model_code: Mapping[str, Sequence[Snippet]]
    test_code: Mapping[str, Sequence[Snippet]]
    model_sentences: Mapping[str, str]
    test_sentences: Mapping[str, str]


def read_pieces(
    models: Mapping[str, Model], comparisons: Mapping[str, Comparison], labels: Labels, prepared: str
) -> Pieces:
    """Make the pieces; `prepared` is the path of the prepared table (Parquet) from the folder of the analysis."""
    file = PurePosixPath(prepared)
    csv = file.parent / "text" / f"{file.stem}.csv"
    table = Prepared(str(csv), str(file), labels.group, labels.levels)
    return Pieces(
        side_by_side=sheets(models, labels.observation_noun.plural, labels.group_noun.plural),
        more_estimates={name: more_estimates(model) for name, model in models.items()},
        model_code={name: _model_code(model, table) for name, model in models.items()},
        test_code={name: _test_code(it, table) for name, it in comparisons.items()},
        model_sentences={name: model_sentence(model, labels) for name, model in models.items()},
        test_sentences={name: test_sentence(it, labels) for name, it in comparisons.items()},
    )


def _model_code(model: Model, table: Prepared) -> list[Snippet]:
    fit = model.fit
    others = [snippet for snippet in (stata_model(fit), spss_model(fit)) if snippet is not None]
    return [r_model(fit, table), python_model(fit, table), mixedlm_model(fit, table), *others]


def _test_code(it: Comparison, table: Prepared) -> list[Snippet]:
    null, alternative, result = it.null.fit, it.alternative.fit, it.result
    return [
        r_test(null, alternative, result["estimator"], result["added_random_effects"], result["df"], table),
        python_test(null, alternative, result["estimator"], it.replicates, table),
    ]
