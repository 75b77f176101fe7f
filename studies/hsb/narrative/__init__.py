"""The story of these data, from facts to sentences.

facts                          what the sentences are about, found by name in the results
splits                         differences within schools and between them, computed from the data
summary, schools, minority,    the sentences
inference, exercises
story                          all of it together
"""

from hsb.narrative.story import tell

__all__ = ["tell"]
