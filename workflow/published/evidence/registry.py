"""Every piece of evidence by the name under which a claim asks for it."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from published.evidence import estimates, notation, optimum, sampling
from published.run import Finding, Run

EVIDENCE: Mapping[str, Callable[[Run], Finding]] = MappingProxyType(
    {
        function.__name__: function
        for function in (
            optimum.better_optimum,
            optimum.bound_not_data,
            optimum.variance_explained,
            optimum.correlations_printed,
            optimum.slope_without_effect,
            notation.second_fixed_effect,
            notation.effects_of_betas,
            notation.minority_not_sex,
            notation.slope_effect,
            notation.correlation_named_sig,
            estimates.weaker_slope,
            estimates.mean_of_reference,
            estimates.slopes_by_category,
            estimates.residuals_not_normal,
            sampling.groups_drawn_twice,
            sampling.percentage,
            sampling.none_as_large,
        )
    }
)
