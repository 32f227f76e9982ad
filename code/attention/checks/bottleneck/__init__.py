"""The exercises of the chapter, in its order (bottleneck: Exercises)."""

from attention.checks.bottleneck.decoder_inputs import DECODER_INPUTS, decoder_inputs
from attention.checks.bottleneck.exact_match import EXACT_MATCH, exact_match
from attention.checks.bottleneck.last_states import LAST_STATES, last_states
from attention.checks.bottleneck.read_sentence import READ_SENTENCE, read_sentence
from attention.checks.bottleneck.steps_to_fade import STEPS_TO_FADE, steps_to_fade

EXERCISES = (
    READ_SENTENCE,
    DECODER_INPUTS,
    LAST_STATES,
    EXACT_MATCH,
    STEPS_TO_FADE,
)

__all__ = [
    "EXERCISES",
    "decoder_inputs",
    "exact_match",
    "last_states",
    "read_sentence",
    "steps_to_fade",
]
