"""A model or a test as code for Python: this project's own functions, and statsmodels' MixedLM where it can do it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from twolevel.model.expansion import Expansion
from twolevel.model.expression import Name, deparse
from twolevel.model.formula_parts import FormulaParts, take_apart
from twolevel.output.prepared import Prepared, Snippet, text

Fit = Mapping[str, Any]

OURS, INSTALLED = "Python, twolevel", "In the checkout of this project, pip install . installs it."
MIXEDLM = "Python, statsmodels"


def python_model(fit: Fit, table: Prepared) -> Snippet:
    """Code that fits a model with the functions of this project, and prints its intervals."""
    lines = [
        "import pandas as pd",
        "from twolevel import fit",
        "",
        f"data = pd.read_parquet({text(table.parquet)})",
        f"model = fit({text(fit['formula'])}, data{_option(fit['estimator'])})",
        f"print(model.criterion)  # {fit['criterion']:.4f}",
        "print(model.fixed_effects)",
        "print(model.random_effects)",
        'print(model.confint())  # by profile; method="bootstrap" simulates',
    ]
    return Snippet(OURS, "\n".join(lines), INSTALLED)


def python_test(null: Fit, alternative: Fit, estimator: str, replicates: int, table: Prepared) -> Snippet:
    """Code for a likelihood ratio test with its bootstrap, by the functions of this project."""
    option = _option(estimator)
    lines = [
        "import pandas as pd",
        "from twolevel import compare, fit",
        "",
        f"data = pd.read_parquet({text(table.parquet)})",
        f"null = fit({text(null['formula'])}, data{option})",
        f"alternative = fit({text(alternative['formula'])}, data{option})",
        f"print(compare(null, alternative, bootstrap={replicates:_}).T)",
    ]
    return Snippet(OURS, "\n".join(lines), INSTALLED)


def mixedlm_model(fit: Fit, table: Prepared) -> Snippet:
    """Code that fits a model with MixedLM, started near the optimum; none where it cannot be translated."""
    parts = take_apart(fit["formula"])
    if reason := _untranslatable(fit, parts):
        return Snippet(MIXEDLM, "", f"No code for statsmodels’ MixedLM: {reason}.")
    (block,) = parts.blocks
    fixed = f"{_quoted(deparse(parts.response))} ~ {_sum(parts.fixed)}"
    order = _in_patsy_s_order(fit)
    relative = np.array(fit["random_effects_covariance"])[np.ix_(order, order)] / fit["sigma"] ** 2
    lines = [
        "import numpy as np",
        "import pandas as pd",
        "import statsmodels.formula.api as smf",
        "from statsmodels.regression.mixed_linear_model import MixedLMParams",
        "",
        f"data = pd.read_parquet({text(table.parquet)})",
        *_complete_rows(fit),
        f"model = smf.mixedlm({text(fixed)}, data, groups={text(fit['group'])}, re_formula={text('~ ' + _sum(block))})",
        "# Covariances of the random effects over the residual variance; the fixed effects need no start",
        f"relative = np.array([{', '.join(map(_numbers, relative.tolist()))}])",
        "start = MixedLMParams.from_components(fe_params=np.zeros(model.k_fe), cov_re=relative)",
        f'result = model.fit(reml={fit["estimator"] == "REML"}, start_params=start, method=["bfgs"])',
        f"print(-2 * result.llf)  # {fit['criterion']:.4f}",
        "print(result.summary())",
    ]
    note = "From its own start MixedLM can end elsewhere. This start is the optimum to four digits."
    return Snippet(MIXEDLM, "\n".join(lines), note)


def _option(estimator: str) -> str:
    """What `fit` has to be told where it is not to fit by REML."""
    return "" if estimator == "REML" else ", reml=False"


def _untranslatable(fit: Fit, parts: FormulaParts) -> str:
    """Why a model has no sure translation to MixedLM's formulas; empty where it has one."""
    if fit["singular"]:
        return "the fit is singular, and MixedLM has to invert the covariance matrix of the random effects"
    if len(parts.blocks) > 1:
        return "its formulas have no independent blocks of random effects"
    if parts.fixed.offsets:
        return "its formulas have no offset"
    expansions = (parts.fixed, *parts.blocks)
    nodes = [parts.response, *(node for of in expansions for node in of.variables)]
    if not all(isinstance(node, Name) for node in nodes):
        return "the formula has a function, which patsy’s formulas write otherwise"
    if not all(of.intercept for of in expansions):
        return "without an intercept patsy codes factors by rules of its own"
    return ""


def _in_patsy_s_order(fit: Fit) -> list[int]:
    """The random effects in the order of patsy's columns: those without a number first, then by the numbers in them."""
    factors = {c["random"]: c["factors"] for c in fit["hierarchy"] if c["random"] is not None}
    numbers = [frozenset(f for f in factors[i] if fit["meanings"][f]["level"] is None) for i in range(len(factors))]
    buckets = list(dict.fromkeys([frozenset(), *numbers]))
    return sorted(range(len(numbers)), key=lambda i: buckets.index(numbers[i]))


def _sum(side: Expansion) -> str:
    """The terms of one side, written out."""
    return " + ".join(
        ["1", *(":".join(_quoted(deparse(side.variables[i])) for i in sorted(term)) for term in side.terms)]
    )


def _quoted(name: str) -> str:
    """A column's name in a formula of patsy."""
    bare = name.strip("`")
    return bare if bare.isidentifier() else f"Q({bare!r})"


def _complete_rows(fit: Fit) -> Iterator[str]:
    if fit["left_out"]["rows"]:
        yield f"data = data.dropna(subset=[{', '.join(map(text, fit['columns']))}])"


def _numbers(values: Sequence[float]) -> str:
    return f"[{', '.join(f'{value:.4g}' for value in values)}]"
