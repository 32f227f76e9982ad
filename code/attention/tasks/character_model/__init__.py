"""The smallest language model: characters, two blocks (masking: A model that reads).

It reads the help texts that come with Python (``pydoc_data.topics``), so every
reader has the data already; they differ a little between Python versions. Each
step has a switch for the mistakes that the chapter on masking shows: ``causal``
leaves out the mask, ``shift`` aligns the targets wrongly.

Where to find what: ``text`` has the data, ``model`` the model and its training,
``measures`` says what it is worth, ``heads`` what its heads do.
"""

from attention.tasks.character_model.heads import (
    Head,
    attention_weights,
    head_measures,
    without_heads,
)
from attention.tasks.character_model.measures import (
    changes_with_the_future,
    generate,
    held_out_loss,
    honest_loss,
    honest_losses,
    perplexity,
    words_known,
)
from attention.tasks.character_model.model import Block, CharacterModel, load, new_model, train
from attention.tasks.character_model.text import (
    CONTEXT,
    SYMBOLS,
    UNKNOWN,
    VOCABULARY,
    batches,
    corpus,
    decode,
    encode,
    held_out_windows,
    split,
    windows,
)

__all__ = [
    "CONTEXT",
    "SYMBOLS",
    "UNKNOWN",
    "VOCABULARY",
    "Block",
    "CharacterModel",
    "Head",
    "attention_weights",
    "batches",
    "changes_with_the_future",
    "corpus",
    "decode",
    "encode",
    "generate",
    "head_measures",
    "held_out_loss",
    "held_out_windows",
    "honest_loss",
    "honest_losses",
    "load",
    "new_model",
    "perplexity",
    "split",
    "train",
    "windows",
    "without_heads",
    "words_known",
]
