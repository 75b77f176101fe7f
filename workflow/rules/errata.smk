# What the sources got wrong, each claim with its evidence from the results.

ERRATA = []
