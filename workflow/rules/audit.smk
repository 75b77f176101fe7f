# The audit of optimisers: where MixedLM ends by each of its methods, and a search within lme4's bounds, for every model.

AUDIT = []
