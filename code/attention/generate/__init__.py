"""Writing with a trained translator (translation: Habits of training).

A translator gives a probability to every token that might come next. *Decoding* turns
that into a sentence. ``greedy`` takes the likeliest token at each step, ``beam`` keeps
several beginnings and returns the likeliest sentence among those it has followed to the
end, ``sample`` draws. ``forced_scores`` is the way back: how likely is a sentence that is
given?

All of them work for the recurrent translators and for the transformer, since they ask
little of a model: to read a source, and then to take one token after the other and say
what may follow. That is a ``Stepper``, and there is a short one for each kind.

``PADDING`` and ``START`` are never written: what probability a model leaves them is
given to the other tokens, in proportion. Log-probabilities are natural logarithms, in
float64 whatever the model's numbers are, so that adding many of them loses nothing (but
Apple's GPUs have no float64: there they are float32).

All is done where the source is, and that is where the model has to be. The model may be
inside a wrapper, such as ``torch.compile`` makes.

Where to find what: ``steppers`` has what is asked of a model, ``probabilities`` what may
follow; ``one_by_one`` writes and scores a sentence token by token, ``sampling`` draws;
``beams`` is what a beam holds, ``beam_search`` the search.
"""

from attention.generate.beam_search import beam, n_best
from attention.generate.beams import Beams, Hypothesis, best_first, length_penalty, new_beams
from attention.generate.one_by_one import forced_scores, greedy, write
from attention.generate.probabilities import LogP, finest, log_probabilities
from attention.generate.sampling import draw, sample, truncate
from attention.generate.steppers import (
    Logits,
    Model,
    RecurrentStepper,
    Rows,
    Source,
    State,
    Stepper,
    Token,
    Tokens,
    TransformerStepper,
    pick,
    stepper_for,
)

__all__ = [
    "Beams",
    "Hypothesis",
    "LogP",
    "Logits",
    "Model",
    "RecurrentStepper",
    "Rows",
    "Source",
    "State",
    "Stepper",
    "Token",
    "Tokens",
    "TransformerStepper",
    "beam",
    "best_first",
    "draw",
    "finest",
    "forced_scores",
    "greedy",
    "length_penalty",
    "log_probabilities",
    "n_best",
    "new_beams",
    "pick",
    "sample",
    "stepper_for",
    "truncate",
    "write",
]
