"""What `attention.generate` says to a wrong call: which argument, what came, what was expected.

Only the copy without enforced shapes is tested here, since that is what a reader calls.
"""

import re

import pytest
import torch
from tests.conftest import load_without_shape_checks

from attention.recurrent import RecurrentConfig, new_translator
from attention.transformer import TransformerConfig, new_transformer

SOURCE = torch.tensor([[3, 8, 2], [4, 2, 0]])
MODELS = {
    "recurrent": new_translator(RecurrentConfig(9, 10, "additive"), 0),
    "transformer": new_transformer(TransformerConfig(9, 10, 8, heads=2, d_ff=4), 0),
}
each_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


@pytest.fixture(scope="module")
def generate():
    """`attention.generate` as a reader meets it."""
    return load_without_shape_checks("generate")


@pytest.fixture(scope="module")
def decoders(generate):
    """All that write, called with a model, a source and settings."""

    def sample(model, source, **settings):
        return generate.sample(
            model, source, **{"generator": torch.Generator().manual_seed(0)} | settings
        )

    def n_best(model, source, n=1, **settings):
        return generate.n_best(model, source, n, **settings)

    def write(model, source, max_length=100):
        return generate.write(model, source, lambda log_p: log_p.argmax(-1), max_length)

    return [generate.greedy, generate.beam, n_best, sample, write]


def check_message(call, message):
    """Assert that `call` raises a ValueError with just this message."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


@each_model
def test_the_calls_that_the_errors_start_from_are_right(generate, decoders, model):
    for decode in decoders:
        assert len(decode(model, SOURCE, max_length=3)) == 2
    assert generate.forced_scores(model, SOURCE, SOURCE).shape == (2, 3)


@pytest.mark.parametrize(
    ("wrong", "came"), [(None, "NoneType"), (torch.nn.Linear(1, 1), "Linear"), (3, "int")]
)
def test_a_model_must_be_one_that_can_write(generate, decoders, wrong, came):
    message = f"model: expected a Translator, a Transformer or a Stepper, got {came!r}"
    for decode in decoders:
        check_message(lambda decode=decode: decode(wrong, SOURCE), message)
    check_message(lambda: generate.forced_scores(wrong, SOURCE, SOURCE), message)
    check_message(lambda: generate.stepper_for(wrong), message)


def test_a_language_model_has_no_source_to_start_from(generate):
    model = new_transformer(TransformerConfig(None, 10, 8, heads=2, d_ff=4), 0)
    check_message(
        lambda: generate.greedy(model, SOURCE),
        "model: expected a Translator, a Transformer or a Stepper, got 'LanguageModel'",
    )


def test_there_are_no_weights_without_a_score(generate):
    model = new_translator(RecurrentConfig(9, 10), 0)
    check_message(
        lambda: generate.greedy(model, SOURCE, return_weights=True),
        "return_weights: expected False for a model without a score, got True",
    )


@pytest.mark.parametrize("number", [0, -1, 2.0, "2", None, True])
def test_counts_must_be_positive_integers(generate, decoders, number):
    model = MODELS["recurrent"]
    for decode in decoders:
        check_message(
            lambda decode=decode: decode(model, SOURCE, max_length=number),
            f"max_length: expected a positive integer, got {number!r}",
        )
    check_message(
        lambda: generate.beam(model, SOURCE, width=number),
        f"width: expected a positive integer, got {number!r}",
    )
    check_message(
        lambda: generate.n_best(model, SOURCE, n=number, width=3),
        f"n: expected an integer from 1 to width = 3, got {number!r}",
    )
    if number is not None:
        check_message(
            lambda: generate.sample(model, SOURCE, torch.Generator(), top_k=number),
            f"top_k: expected a positive integer, got {number!r}",
        )


def test_no_more_can_be_returned_than_are_followed(generate):
    check_message(
        lambda: generate.n_best(MODELS["recurrent"], SOURCE, n=4, width=3),
        "n: expected an integer from 1 to width = 3, got 4",
    )
    check_message(
        lambda: generate.n_best(MODELS["recurrent"], SOURCE, n=5),
        "n: expected an integer from 1 to width = 4, got 5",
    )
    for found in generate.n_best(MODELS["recurrent"], SOURCE, n=3, width=3, max_length=3):
        assert 1 <= len(found) <= 3


@pytest.mark.parametrize("alpha", [-0.1, float("inf"), float("nan"), "0.6", None])
def test_alpha_must_not_punish_length(generate, alpha):
    for search in (generate.beam, lambda *a, **k: generate.n_best(*a, n=1, **k)):
        check_message(
            lambda search=search: search(MODELS["recurrent"], SOURCE, alpha=alpha),
            f"alpha: expected a number, 0 or more, got {alpha!r}",
        )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"generator": 3}, "generator: expected a torch.Generator, got 3"),
        ({"generator": None}, "generator: expected a torch.Generator, got None"),
        ({"temperature": 0}, "temperature: expected a number above 0, got 0"),
        ({"temperature": 0.0}, "temperature: expected a number above 0, got 0.0"),
        ({"temperature": -1.0}, "temperature: expected a number above 0, got -1.0"),
        ({"temperature": float("inf")}, "temperature: expected a number above 0, got inf"),
        ({"temperature": float("nan")}, "temperature: expected a number above 0, got nan"),
        ({"temperature": "1"}, "temperature: expected a number above 0, got '1'"),
        ({"top_p": 0}, "top_p: expected a number above 0, up to 1, got 0"),
        ({"top_p": 0.0}, "top_p: expected a number above 0, up to 1, got 0.0"),
        ({"top_p": -0.1}, "top_p: expected a number above 0, up to 1, got -0.1"),
        ({"top_p": 1.01}, "top_p: expected a number above 0, up to 1, got 1.01"),
        ({"top_p": None}, "top_p: expected a number above 0, up to 1, got None"),
    ],
)
def test_sampling_needs_settings_that_make_sense(generate, changed, message):
    settings = {"generator": torch.Generator()} | changed
    check_message(lambda: generate.sample(MODELS["recurrent"], SOURCE, **settings), message)


def test_settings_at_the_edge_are_welcome(generate):
    generate.sample(
        MODELS["recurrent"],
        SOURCE,
        torch.Generator(),
        temperature=5,
        top_k=1,
        top_p=1,
        max_length=1,
    )
    generate.sample(MODELS["recurrent"], SOURCE, torch.Generator(), 1e-300, 99, 1e-300, 1)
    generate.n_best(MODELS["recurrent"], SOURCE, 1, width=1, alpha=0, max_length=1)


@each_model
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([[3, 9, 2], [4, 2, 0]], "tokens from 0 to 8, got (0, 9)"),
        ([[3, 5, 2], [0, 2, 0]], "a token at the start of each row, got 'PADDING there'"),
    ],
)
def test_the_model_says_what_is_wrong_with_a_source(generate, decoders, model, wrong, message):
    wrong = torch.tensor(wrong)
    for decode in decoders:
        check_message(lambda decode=decode: decode(model, wrong), f"source: expected {message}")
    check_message(
        lambda: generate.forced_scores(model, wrong, SOURCE), f"source: expected {message}"
    )


@each_model
def test_the_model_says_what_is_wrong_with_a_target(generate, model):
    for target, message in [
        (torch.tensor([[1, 4, 2], [1, 2, 0]]), "no START: the model adds it, got 'START'"),
        (torch.tensor([[10, 4, 2], [4, 2, 0]]), "tokens from 0 to 9, got (0, 10)"),
    ]:
        check_message(
            lambda target=target: generate.forced_scores(model, SOURCE, target),
            f"target: expected {message}",
        )


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_a_model_that_has_come_apart_is_refused(generate, wrong):
    logits = torch.zeros(2, 5)
    logits[1, 3] = wrong
    check_message(
        lambda: generate.log_probabilities(logits),
        "logits: expected numbers with a softmax, got 'some without'",
    )
    check_message(
        lambda: generate.log_probabilities(torch.full((2, 5), -torch.inf)),
        "logits: expected numbers with a softmax, got 'some without'",
    )
    logits[1, 3] = -torch.inf
    generate.log_probabilities(logits)
