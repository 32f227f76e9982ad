"""Watch a transformer at work and interfere (translation: One model; evidence: The ladder).

A head may look somewhere although the model does not need what it finds there. So
there are tools to look and tools to interfere, for a ``with`` block each:

- ``record_weights`` and ``record_streams`` look;
- ``knock_out`` cuts *edges*: from a query to a key, where no head may attend then;
- ``patch_activations`` puts the residual stream of another run in the place of this one's.

They can be nested, all leave the model as it was, and none changes a line of it: torch
calls a *hook* before or after a module's own ``forward``. The model may be in a wrapper.
What ``torch.compile`` made asks no hooks that came later, so while a block lasts it runs
as it was written.

All of them act while a model writes, too: with ``greedy``, ``beam`` and ``sample``, with
``read`` and ``continue_text``, with a key–value cache and without. The decoder then reads a text
that grows.

- Positions are counted from the beginning of the text. The position p has row p of
  ``edges``, ``places`` and ``stream``, whichever step it is read in. For the decoder these
  may be longer than the text, since nobody knows its length before; not shorter.
- What is recorded of a text that is read in parts is put together. So at the end there is
  the same with a cache as without, where each step reads the whole text again.
- The rows are those that the decoder gets. In a beam these are all hypotheses of the first
  sentence, then all of the second, and so on. ``edges`` without a batch axis serve them
  all; what differs between sentences must be repeated with ``repeat_interleave(width, 0)``.
  The encoder gets each sentence once.

Examples
--------
>>> with record_streams(model) as streams:
...     model(other_source, target)
>>> with patch_activations(model, "encoder", 1, places, streams["encoder", 1]):
...     logits = model(source, target)
"""

from attention.interventions.cutting import knock_out
from attention.interventions.patching import patch_activations
from attention.interventions.places import attentions, stages
from attention.interventions.recording import cross_weights, record_streams, record_weights

__all__ = [
    "attentions",
    "cross_weights",
    "knock_out",
    "patch_activations",
    "record_streams",
    "record_weights",
    "stages",
]
