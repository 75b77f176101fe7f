"""Where other searches end, and why. May use the packages up to fitting.

bounded              a search within lme4's bounds
point                estimates at any theta
face, constrained    the optimum that lme4's bounds lead to, where it is another
audit                MixedLM's methods and lme4's bounds, from several starts
"""
