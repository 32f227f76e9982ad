"""What training a translator takes (alignment: Watch it learn; translation: From near).

A sequence is a list of token numbers. A model is anything that, called as
``model(source, target)``, returns logits for each position of ``target`` and
whose position t depends on the tokens before t alone (*teacher forcing*: it is
told the right beginning, and asked for what comes next).

Where to find what: ``tokens`` has the numbers that are the same in every vocabulary of
the book, and padding; ``batches`` cuts pairs into batches; ``loss`` and ``recipe`` say
what is minimised and how, ``run`` does it; ``modes`` switches dropout off and
``weight_files`` keeps what was learnt; ``metrics`` and ``alignment`` judge it.
"""

from attention._arguments import positive_integer as check_positive  # as other modules know it
from attention.tokens import (
    END,
    PADDING,
    START,
    Pair,
    Tokens,
    check_numbers,
    check_tokens,
    pad,
    unpad,
)
from attention.training.alignment import (
    Alignment,
    Link,
    alignment_error_rate,
    diagonal_links,
    strongest_links,
    uniform_error_rate,
)
from attention.training.batches import Batch, BatchesByLength, make_batch
from attention.training.loss import token_loss, translation_loss
from attention.training.metrics import (
    bleu,
    decode_all,
    exact_matches,
    means_by_length,
    right_tokens,
)
from attention.training.modes import device_of, evaluating
from attention.training.recipe import SCHEDULES, Recipe
from attention.training.run import Data, LogEntry, Loss, TrainingRun, minimise, steps_within, update
from attention.weight_files import load_weights, read_tensors, save_weights, write_tensors

__all__ = [
    "END",
    "PADDING",
    "SCHEDULES",
    "START",
    "Alignment",
    "Batch",
    "BatchesByLength",
    "Data",
    "Link",
    "LogEntry",
    "Loss",
    "Pair",
    "Recipe",
    "Tokens",
    "TrainingRun",
    "alignment_error_rate",
    "bleu",
    "check_numbers",
    "check_positive",
    "check_tokens",
    "decode_all",
    "device_of",
    "diagonal_links",
    "evaluating",
    "exact_matches",
    "load_weights",
    "make_batch",
    "means_by_length",
    "minimise",
    "pad",
    "read_tensors",
    "right_tokens",
    "save_weights",
    "steps_within",
    "strongest_links",
    "token_loss",
    "translation_loss",
    "uniform_error_rate",
    "unpad",
    "update",
    "write_tensors",
]
