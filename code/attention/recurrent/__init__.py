"""Recurrent translators (bottleneck: Two networks and one vector; alignment: Keep every state).

An *encoder* reads the source, a *decoder* writes the target, one token at a time.
What passes between them is

- one vector, whatever the length of the sentence (Cho et al. 2014; Sutskever et
  al. 2014): ``score=None``; or
- one vector for each source token, of which the decoder takes another weighted
  average before every word (Bahdanau et al. 2015): ``score="additive"`` or
  ``"dot"``.

Everything else is the same for both, so that what is measured is the difference
that looking back makes.

Where to find what: ``cell`` has one step of a GRU, ``look_back`` the attention,
``config`` and ``translator`` the model, ``sizes`` its number of parameters,
``files`` how it is kept, ``reach`` how far its gradient gets.
"""

from attention.recurrent.cell import gru_step
from attention.recurrent.config import CELLS, READINGS, SCORES, WIDTHS, RecurrentConfig
from attention.recurrent.files import load, save
from attention.recurrent.look_back import LookBack, additive_scores, dot_scores
from attention.recurrent.reach import gradient_reach
from attention.recurrent.sizes import parameters_of, width_for
from attention.recurrent.translator import Memory, Translator, flip, new_translator

__all__ = [
    "CELLS",
    "READINGS",
    "SCORES",
    "WIDTHS",
    "LookBack",
    "Memory",
    "RecurrentConfig",
    "Translator",
    "additive_scores",
    "dot_scores",
    "flip",
    "gradient_reach",
    "gru_step",
    "load",
    "new_translator",
    "parameters_of",
    "save",
    "width_for",
]
