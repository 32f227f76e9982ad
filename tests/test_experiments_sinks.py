"""Sinks: the remedies compute what they say, and the log is what the script writes."""

import pytest
import torch

import sinks
from attention import interventions
from attention.layers import MultiHeadAttention
from attention.positions import position_angles
from attention.tokens import END, PADDING, START
from attention.training import make_batch
from attention.transformer import new_transformer, parameters_of
from shared import one_text
from shared.logs import read_rows
from shared.sink_remedies import REMEDIES, RemediedAttention, softmax

pytestmark = pytest.mark.usefixtures("types_not_checked")

LENGTH = 6


@pytest.fixture
def plain() -> MultiHeadAttention:
    torch.manual_seed(0)
    return MultiHeadAttention(16, 4, 2, bias=False).double()


@pytest.fixture
def call() -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    x = torch.randn(2, LENGTH, 16, dtype=torch.float64)
    mask = torch.ones(LENGTH, LENGTH, dtype=torch.bool).tril()
    return {"x": x, "mask": mask, "angles": position_angles(LENGTH, 4).double()}


def test_no_remedy_is_the_attention_of_the_book(plain, call):
    output, weights = plain(**call | {"mask": call["mask"][None]}, return_weights=True)
    found, looked = RemediedAttention(plain, "none").double()(**call, return_weights=True)
    torch.testing.assert_close(found, output, rtol=0, atol=1e-12)
    torch.testing.assert_close(looked, weights, rtol=0, atol=1e-12)


@pytest.mark.parametrize("remedy", ["zero in the sum", "learned sink"])
def test_a_sink_is_one_more_key_without_a_value(plain, call, remedy):
    attention = RemediedAttention(plain, remedy).double()
    if remedy == "learned sink":
        with torch.no_grad():
            attention.sink.copy_(torch.tensor([-1.0, 0, 2, 5]))
    _, plainly = RemediedAttention(plain, "none").double()(**call, return_weights=True)
    _, weights = attention(**call, return_weights=True)
    # By hand: e^sink joins the sum of the e^score, so a row is scaled down as a whole.
    share = weights.sum(-1)  # (batch, heads, queries)
    torch.testing.assert_close(weights / share[..., None], plainly, rtol=0, atol=1e-12)
    assert ((0 < share) & (share < 1)).all()
    if remedy == "learned sink":  # the higher the sink, the less is left
        assert (share.mean((0, 2)).diff() < 0).all()


def test_softmax_with_a_sink_by_hand():
    scores = torch.tensor([[[[0.0, 1.0], [2.0, -torch.inf]]]])
    weights = softmax(scores, torch.tensor([0.0]))
    e = torch.e
    wanted = [[1 / (2 + e), e / (2 + e)], [e**2 / (e**2 + 1), 0]]
    torch.testing.assert_close(weights[0, 0], torch.tensor(wanted))


def test_a_gate_multiplies_what_the_heads_bring(plain, call):
    attention = RemediedAttention(plain, "gate").double()
    with torch.no_grad():
        attention.gate.weight.zero_()  # a half, everywhere
    wanted = RemediedAttention(plain, "none").double()(**call) / 2
    torch.testing.assert_close(attention(**call), wanted, rtol=0, atol=1e-12)


@pytest.mark.arithmetic
@pytest.mark.parametrize("arm", sinks.ARMS)
def test_arms_have_as_many_parameters_and_nobody_looks_ahead(arm):
    model = sinks.new_model(arm, 0)
    count = sum(parameter.numel() for parameter in model.parameters())
    assert abs(count / parameters_of(sinks.CONFIG) - 1) < 0.01
    text = make_batch(one_text.with_texts(one_text.pairs("test", 3))).target
    changed = text.clone()
    changed[:, 6:] = changed[:, 6:].flip(0)
    one, other = (sinks.losses(model, arm, t)[:, :5] for t in (text, changed))
    torch.testing.assert_close(one, other)


def test_all_remedies_are_tried():
    assert {sinks.remedy_of(arm) for arm in sinks.ARMS} == {*REMEDIES}


@pytest.mark.arithmetic
def test_the_loss_is_of_the_same_tokens_whatever_stands_before():
    text = torch.tensor([[5, 6, 7, END], [8, 9, END, PADDING]])
    assert sinks.read("bare", text).tolist() == [[5, 6, 7], [8, 9, END]]
    assert sinks.read("start", text)[0].tolist() == [START, 5, 6, 7]
    assert len(sinks.read("four registers", text)[0]) == 4 + 3

    class Knows(torch.nn.Module):
        """Say all tokens but one with certainty, behind so many before the text."""

        def __init__(self, lead: int):
            super().__init__()
            self.lead = lead

        def forward(self, tokens):
            following = torch.cat([tokens[:, 1:], torch.full_like(tokens[:, :1], END)], 1)
            following[0, self.lead + 1] = 3  # wrong for the 7
            return 50 * torch.nn.functional.one_hot(following, 20).float()

    for arm, lead in (("bare", 0), ("start", 1)):
        found = sinks.losses(Knows(lead), arm, text)
        assert (found > 1).tolist() == [[False, True, False], [False] * 3]
        assert sinks.mean_loss(Knows(lead), arm, text).item() == pytest.approx(50 / 5, rel=1e-3)


@pytest.mark.arithmetic
def test_measures_by_hand():
    """The weights of one text, of a model whose attention is even."""
    model = new_transformer(sinks.CONFIG, 0)
    for layer in model.decoder.layers:
        torch.nn.init.zeros_(layer.self_attention.W_Q.weight)
    text = make_batch(one_text.with_texts(one_text.pairs("test", 1))).target
    even = [1 / (place + 1) for place in range(sinks.FROM, text.shape[1] - 1)]
    wanted = sum(even) / len(even)
    found = sinks.measured(model, "bare", text)
    assert found["first word"] == found["even"] == pytest.approx(wanted, rel=1e-5)
    assert found["largest"] == pytest.approx(wanted, rel=1e-5)
    assert found["before"] == 0
    assert found["nothing"] == pytest.approx(0, abs=1e-6)
    started = sinks.measured(model, "start", text)
    assert started["before"] == started["first word"] == pytest.approx(started["even"])
    assert started["largest"] == pytest.approx(2 * started["before"], rel=1e-5)


@pytest.mark.arithmetic
def test_forbidden_keys_are_those_of_the_text():
    arm, text = "start", make_batch(one_text.with_texts(one_text.pairs("test", 2))).target
    model = sinks.new_model(arm, 0)
    seen = {}
    original = sinks.interventions.knock_out

    def spy(model, where, edges):
        seen["edges"] = edges
        return original(model, where, edges)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interventions, "knock_out", spy)
        sinks.rise(model, arm, text, range(2))
    queries, keys = seen["edges"].nonzero().T
    assert {*keys.tolist()} == {0, 1}  # START and the first word
    # The query at position LATE - 1 of the text predicts the text's token LATE.
    assert queries.min() == 1 + sinks.LATE - 1


# ----------------------------------------------------------------------------- the log


@pytest.fixture(scope="module")
def log() -> list[dict[str, str]]:
    if not sinks.OUTPUT.exists():
        pytest.skip(f"{sinks.OUTPUT.name}: the script has yet to be run")
    return read_rows(sinks.OUTPUT)


def test_log_is_complete(log):
    names = ["loss", "first word", "before", "nothing", "even", "largest", "stream"]
    names += ["without first", "without third"]
    wanted = [
        (arm, str(seed), name) for arm in sinks.ARMS for seed in sinks.SEEDS for name in names
    ]
    assert [(row["arm"], row["seed"], row["measure"]) for row in log] == wanted
    assert {row["updates"] for row in log} == {str(sinks.UPDATES)}


def test_log_has_weights_that_are_weights(log):
    for arm in sinks.ARMS:
        first, before, nothing = (
            sinks.found_in(log, name)[arm] for name in ("first word", "before", "nothing")
        )
        for parts in zip(first, before, nothing, strict=True):
            assert all(-1e-6 <= part <= 1 for part in parts)
            assert sum(parts) < 1
        assert (max(before) > 0) == (arm in sinks.BEFORE)
        assert (max(nothing) > 1e-3) == (arm in ("zero in the sum", "learned sink"))
