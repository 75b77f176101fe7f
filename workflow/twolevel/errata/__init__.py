"""What a source says that its own numbers or the data contradict: each claim with evidence computed from the results.

run                     what the evidence is computed from, by the names that the source gave its models
optimum, estimates,     one small function for each piece of evidence: what it computes, and whether the claim holds
notation, sampling
evidence                those functions by name
claims                  the claims read, checked, and set beside their evidence
"""
