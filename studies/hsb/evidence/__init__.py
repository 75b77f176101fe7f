"""Evidence for the claims in errata.csv: every piece by the name under which a claim asks for it.

Each function computes what it takes from a run, in the modules `optimum`, `estimates`, `notation` and `sampling`.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from published.run import Finding, Run

from hsb.evidence import estimates, notation, optimum, sampling

EVIDENCE: Mapping[str, Callable[[Run], Finding]] = MappingProxyType(
    {
        function.__name__: function
        for function in (
            optimum.better_optimum,
            optimum.correlations_printed,
            optimum.slope_without_effect,
            notation.second_fixed_effect,
            notation.effects_of_betas,
            notation.minority_not_sex,
            notation.slope_effect,
            estimates.weaker_slope,
            estimates.mean_of_reference,
            estimates.residuals_not_normal,
            sampling.groups_drawn_twice,
            sampling.none_as_large,
            sampling.statistic_and_p,
        )
    }
)
