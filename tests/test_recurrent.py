"""`attention.recurrent` against torch, against plain loops, and what must hold anyway."""

import random
from dataclasses import replace
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from attention import by_hand
from attention.generate import greedy
from attention.recurrent import (
    CELLS,
    RecurrentConfig,
    Translator,
    additive_scores,
    dot_scores,
    flip,
    gradient_reach,
    gru_step,
    load,
    new_translator,
    parameters_of,
    save,
    width_for,
)
from attention.training import (
    END,
    PADDING,
    START,
    BatchesByLength,
    Recipe,
    TrainingRun,
    alignment_error_rate,
    decode_all,
    exact_matches,
    pad,
    right_tokens,
    strongest_links,
    token_loss,
)

SYMBOLS = 12
TINY = RecurrentConfig(
    SYMBOLS, SYMBOLS + 2, d_embedding=3, d_encoder=4, d_decoder=5, d_context=6, d_score=7
)
CONFIGS = [
    replace(TINY, score=score, reading=reading, cell=cell)
    for score, reading, cell in [
        (None, "both", "gru"),
        (None, "forwards", "gru"),
        (None, "backwards", "lstm"),
        ("additive", "both", "gru"),
        ("additive", "forwards", "lstm"),
        ("dot", "both", "gru"),
        ("dot", "backwards", "rnn"),
    ]
]
LOOKING_BACK = [config for config in CONFIGS if config.score]


def name(config: RecurrentConfig) -> str:
    return f"{config.score}-{config.reading}-{config.cell}"


each_model = pytest.mark.parametrize("config", CONFIGS, ids=name)
each_that_looks_back = pytest.mark.parametrize("config", LOOKING_BACK, ids=name)
configs = st.sampled_from(CONFIGS)
cases = settings(max_examples=40)
generators = st.integers(0, 2**32 - 1).map(lambda seed: torch.Generator().manual_seed(seed))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def double(config: RecurrentConfig, seed: int = 0) -> Translator:
    """Make a model in float64 whose choices are not all alike."""
    model = new_translator(config, seed).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= 2
    return model


def sentences(rng: torch.Generator, count: int, symbols: int = SYMBOLS, longest: int = 6):
    """Draw token lists of 0 to `longest` tokens."""
    lengths = torch.randint(longest + 1, (count,), generator=rng).tolist()
    return [torch.randint(END + 1, symbols, (n,), generator=rng).tolist() for n in lengths]


def uniform(rng: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=rng, dtype=torch.float64) * 4 - 2


def largest_error(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    assert ours.shape == theirs.shape
    return (ours - theirs).abs().max().item() if ours.numel() else 0


# -------------------------------------------------------------------- the cell


@cases
@given(
    rng=generators, batch=st.integers(1, 3), d_input=st.integers(1, 4), d_state=st.integers(1, 4)
)
def test_gru_step_is_torchs_cell_in_value_and_gradient(rng, batch, d_input, d_state):
    cell = nn.GRUCell(d_input, d_state).double()
    for parameter in cell.parameters():
        nn.init.uniform_(parameter, -2, 2, generator=rng)
    x, state = uniform(rng, batch, d_input), uniform(rng, batch, d_state)
    tensors = [x.requires_grad_(), state.requires_grad_(), *cell.parameters()]
    ours, theirs = gru_step(*tensors), cell(x, state)
    assert largest_error(ours, theirs) <= 1e-10
    factors = uniform(rng, batch, d_state)
    for gradient, expected in zip(
        torch.autograd.grad((ours * factors).sum(), tensors),
        torch.autograd.grad((theirs * factors).sum(), tensors),
        strict=True,
    ):
        assert largest_error(gradient, expected) <= 1e-10


def test_a_loop_over_gru_step_is_torchs_gru_in_value_and_gradient():
    gru = nn.GRU(3, 5, batch_first=True).double()
    x = uniform(generator(), 2, 7, 3).requires_grad_()
    tensors = [x, *gru.parameters()]
    state, states = torch.zeros(2, 5).double(), []
    for x_now in x.unbind(1):
        state = gru_step(x_now, state, *gru.parameters())
        states.append(state)
    ours, (theirs, _) = torch.stack(states, 1), gru(x)
    assert largest_error(ours, theirs) <= 1e-10
    factors = uniform(generator(1), 2, 7, 5)
    for gradient, expected in zip(
        torch.autograd.grad((ours * factors).sum(), tensors),
        torch.autograd.grad((theirs * factors).sum(), tensors),
        strict=True,
    ):
        assert largest_error(gradient, expected) <= 1e-10


def test_what_the_gates_do():
    W_x, W_state, b = torch.ones(3, 1), torch.ones(3, 1), torch.zeros(3)
    x, state = torch.tensor([0.5]), torch.tensor([0.25])
    keep, renew = torch.tensor([0.0, 99.0, 0.0]), torch.tensor([0.0, -99.0, 0.0])
    forget = torch.tensor([-99.0, -99.0, 0.0])
    assert gru_step(x, state, W_x, W_state, keep, b).item() == 0.25
    half = torch.sigmoid(torch.tensor(0.75)).item()
    assert gru_step(x, state, W_x, W_state, renew, b).item() == pytest.approx(
        torch.tanh(torch.tensor(0.5 + half * 0.25)).item()
    )
    assert gru_step(x, state, W_x, W_state, forget, b).item() == pytest.approx(
        torch.tanh(torch.tensor(0.5)).item()
    )


# ------------------------------------------------------------------ the scores


@cases
@given(rng=generators, keys=st.integers(1, 5), d_score=st.integers(1, 4))
def test_scores_one_by_one(rng, keys, d_score):
    q, k, v = uniform(rng, 2, d_score), uniform(rng, 2, keys, d_score), uniform(rng, d_score)
    additive, dot = additive_scores(q, k, v), dot_scores(q, k)
    for row in range(2):
        for key in range(keys):
            expected = (v * torch.tanh(q[row] + k[row, key])).sum()
            assert additive[row, key].item() == pytest.approx(expected.item(), abs=1e-12)
            expected = (q[row] * k[row, key]).sum() / d_score**0.5
            assert dot[row, key].item() == pytest.approx(expected.item(), abs=1e-12)


def test_the_dot_score_makes_it_the_attention_of_queries_and_keys():
    model = double(replace(TINY, score="dot"))
    state, annotations = uniform(generator(), 2, 5), uniform(generator(1), 2, 4, 8)
    mask = torch.tensor([[True, True, True, False], [True] * 4])
    keys = model.look_back.W_K(annotations)
    context, weights = model.look_back(state, keys, annotations, mask)
    expected, expected_weights = by_hand.scaled_dot_product_attention(
        model.look_back.W_Q(state)[:, None].detach().numpy(),
        keys.detach().numpy(),
        annotations.numpy(),
        mask=mask[:, None].numpy(),
    )
    assert largest_error(context, torch.from_numpy(expected[:, 0])) <= 1e-12
    assert largest_error(weights, torch.from_numpy(expected_weights[:, 0])) <= 1e-12


# ---------------------------------------------------- the model, in plain loops


def read_one(cell: nn.Module, rows: torch.Tensor) -> list[torch.Tensor]:
    """Run a cell over one sequence (length, width), a step at a time."""
    states, hidden = [], None
    for row in rows:
        output, hidden = cell(row[None, None], hidden)
        states.append(output[0, 0])
    return states


def translate_one(model: Translator, source: list[int], target: list[int]):
    """Compute one sentence's logits and weights from the papers' equations."""
    config = model.config
    embedded = model.source_embedding(torch.tensor([*source, END]))
    directions = []
    if "forwards" in model.readers:
        states = read_one(model.readers["forwards"], embedded)
        directions.append((states, states[-1]))
    if "backwards" in model.readers:
        states = read_one(model.readers["backwards"], embedded.flip(0))[::-1]
        directions.append((states, states[0]))
    annotations = torch.stack(
        [torch.cat(together) for together in zip(*(s for s, _ in directions), strict=True)]
    )
    final = torch.cat([last for _, last in directions])
    fixed = None if config.score else torch.tanh(model.to_vector(final))
    state = torch.tanh(model.to_state(final if config.score else fixed))
    all_logits, all_weights = [], []
    for before in [START, *target]:
        y = model.target_embedding(torch.tensor(before))
        if config.score:
            look = model.look_back
            query, keys = look.W_Q(state), look.W_K(annotations)
            if config.score == "additive":
                scores = torch.stack([look.v @ torch.tanh(query + key) for key in keys])
            else:
                scores = torch.stack([query @ key / config.d_score**0.5 for key in keys])
            weights = torch.exp(scores) / torch.exp(scores).sum()
            context = sum(w * h for w, h in zip(weights, annotations, strict=True))
            all_weights.append(weights)
        else:
            context = fixed
        state = gru_step(torch.cat([y, context]), state, *model.decoder.parameters())
        hidden = torch.tanh(model.to_hidden(torch.cat([state, y, context])))
        all_logits.append(model.to_logits(hidden))
    return torch.stack(all_logits), torch.stack(all_weights) if all_weights else None


@each_model
def test_the_model_is_what_its_equations_say(config):
    model = double(config)
    sources = [[5, 3, 9, 7], [4], [], [11, 11, 3, 5, 6, 8]]
    targets = [[3, 4, 5], [], [13, 3, 3, 3, 7], [6, 6]]
    source, target = pad(sources), pad(targets)
    result = model(source, target, return_weights=config.score is not None)
    logits, weights = result if config.score else (result, None)
    for row, (words, wanted) in enumerate(zip(sources, targets, strict=True)):
        expected, expected_weights = translate_one(model, words, wanted)
        assert largest_error(logits[row, : len(wanted) + 1], expected) <= 1e-12
        if config.score:
            found = weights[row, : len(wanted) + 1, : len(words) + 1]
            assert largest_error(found, expected_weights) <= 1e-12


@each_model
def test_step_by_step_is_all_at_once(config):
    model = double(config)
    source, target = pad(sentences(generator(1), 4)), pad(sentences(generator(2), 4))
    result = model(source, target, return_weights=config.score is not None)
    logits, weights = result if config.score else (result, None)
    memory, state = model.encode(source)
    before = torch.full((4,), START)
    for t in range(target.shape[1]):
        now, state, looked = model.step(memory, state, before)
        assert largest_error(now, logits[:, t]) <= 1e-12
        if config.score:
            assert largest_error(looked, weights[:, t]) <= 1e-12
        else:
            assert looked is None
        before = target[:, t]


@each_that_looks_back
def test_asking_for_the_weights_does_not_change_the_logits(config):
    model = double(config)
    source, target = pad(sentences(generator(1), 4)), pad(sentences(generator(2), 4))
    assert torch.equal(model(source, target), model(source, target, return_weights=True)[0])


@pytest.mark.parametrize("score", [None, "additive", "dot"])
@pytest.mark.parametrize("cell", CELLS)
def test_reading_backwards_is_reading_the_reversed_source_forwards(score, cell):
    forwards = double(replace(TINY, score=score, cell=cell, reading="forwards"))
    backwards = double(replace(TINY, score=score, cell=cell, reading="backwards"))
    weights = {k.replace("forwards", "backwards"): v for k, v in forwards.state_dict().items()}
    backwards.load_state_dict(weights)
    source = pad([[5, 3, 9], [4, 7, 8]])
    target = pad(sentences(generator(), 2))
    options = {"return_weights": score is not None}
    ours, theirs = backwards(source, target, **options), forwards(source.flip(1), target, **options)
    if score:
        (ours, our_weights), (theirs, their_weights) = ours, theirs
        assert largest_error(our_weights, their_weights.flip(2)) <= 1e-12
    assert largest_error(ours, theirs) <= 1e-12


def test_flip_leaves_the_padding_where_it_is():
    x = torch.arange(8.0).reshape(2, 4, 1)
    turned = flip(x, torch.tensor([3, 1]))
    assert turned[:, :, 0].tolist() == [[2, 1, 0, 3], [4, 5, 6, 7]]
    assert torch.equal(flip(turned, torch.tensor([3, 1])), x)


# ------------------------------------------------------------------- what holds


@cases
@given(config=configs, rng=generators, more=st.tuples(st.integers(0, 4), st.integers(0, 4)))
def test_padding_changes_nothing(config, rng, more):
    model = double(config)
    sources, targets = sentences(rng, 3), sentences(rng, 3)
    source, target = pad(sources), pad(targets)
    longer = F.pad(source, (0, more[0])), F.pad(target, (0, more[1]))
    options = {"return_weights": config.score is not None}
    before, after = model(source, target, **options), model(*longer, **options)
    if config.score:
        (before, weights), (after, more_weights) = before, after
        cut = more_weights[:, : target.shape[1]]
        assert largest_error(cut[..., : source.shape[1]], weights) <= 1e-12
        padding = (longer[0] == PADDING)[:, None].expand_as(more_weights)
        assert not more_weights[padding].any()
    assert largest_error(after[:, : target.shape[1]], before) <= 1e-12

    gradients = torch.autograd.grad(token_loss(before, target), list(model.parameters()))
    padded = torch.autograd.grad(token_loss(after, longer[1]), list(model.parameters()))
    for gradient, expected in zip(padded, gradients, strict=True):
        assert largest_error(gradient, expected) <= 1e-12


@cases
@given(config=configs, rng=generators)
def test_a_sentence_does_not_notice_the_others_of_its_batch(config, rng):
    model = double(config)
    sources, targets = sentences(rng, 4), sentences(rng, 4)
    together = model(pad(sources), pad(targets))
    for row, (source, target) in enumerate(zip(sources, targets, strict=True)):
        alone = model(pad([source]), pad([target]))
        assert largest_error(together[row, : len(target) + 1], alone[0]) <= 1e-12


@cases
@given(config=configs, rng=generators, data=st.data())
def test_the_decoder_does_not_see_later_targets(config, rng, data):
    model = double(config)
    source = pad(sentences(rng, 3))
    target = torch.randint(END + 1, SYMBOLS, (3, 6), generator=rng)
    changed = target.clone()
    now = data.draw(st.integers(0, 3))
    changed[:, now] = (changed[:, now] - END) % (SYMBOLS - END - 1) + END + 1  # another word
    assert (changed != target).sum() == 3
    options = {"return_weights": config.score is not None}
    before, after = model(source, target, **options), model(source, changed, **options)
    if config.score:
        (before, weights), (after, changed_weights) = before, after
        # The state that asks at step t has read the tokens before t - 1.
        assert torch.equal(weights[:, : now + 2], changed_weights[:, : now + 2])
        several = (source != PADDING).sum(1) > 1  # a single token gets all the weight
        moved = (weights - changed_weights)[:, now + 2].abs().amax(-1)
        assert (moved[several] > 0).all()
    assert torch.equal(before[:, : now + 1], after[:, : now + 1])
    assert (before[:, now + 1] - after[:, now + 1]).abs().max() > 1e-6


@cases
@given(config=st.sampled_from(LOOKING_BACK), rng=generators)
def test_rows_of_weights_sum_to_one(config, rng):
    source, target = pad(sentences(rng, 3)), pad(sentences(rng, 3))
    _, weights = double(config)(source, target, return_weights=True)
    assert (weights >= 0).all()
    assert largest_error(weights.sum(-1), torch.ones(target.shape).double()) <= 1e-12


@each_model
def test_all_that_passes_is_the_memory(config):
    """A fixed vector's width does not depend on the source; annotations are as many as tokens."""
    model = double(config)
    short, long = model.encode(pad([[3]]))[0], model.encode(pad([[3] * 30]))[0]
    if config.score is None:
        assert short.vector.shape == long.vector.shape == (1, 6)
        assert short.annotations is short.keys is None
        # All else equal, the decoder is a function of the vector alone.
        state = torch.tanh(model.to_state(long.vector))
        assert torch.equal(state, model.encode(pad([[3] * 30]))[1])
    else:
        d_annotation = 4 * len(model.readers)
        assert short.vector is long.vector is None
        assert short.annotations.shape == (1, 2, d_annotation)
        assert long.annotations.shape == (1, 31, d_annotation)
        assert long.keys.shape == (1, 31, 7)


@each_model
def test_every_parameter_gets_a_gradient(config):
    model = double(config)
    source, target = pad(sentences(generator(1), 8)), pad(sentences(generator(2), 8))
    token_loss(model(source, target), target).backward()
    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.any(), parameter_name


def test_dropout_is_for_training_only():
    config = replace(TINY, score="additive", dropout=0.5)
    model, source = new_translator(config, 0), pad([[5, 3, 9, 7]])
    assert not torch.equal(model(source, source), model(source, source))
    model.eval()
    assert torch.equal(model(source, source), model(source, source))
    plain = new_translator(replace(config, dropout=0.0), 0)
    assert torch.equal(model(source, source), plain(source, source))


# ----------------------------------------------------- equal sizes, equal starts


@each_model
def test_parameters_are_counted_without_making_them(config):
    count = sum(parameter.numel() for parameter in Translator(config).parameters())
    assert parameters_of(config) == count


@pytest.mark.parametrize("field", ["d_decoder", "d_encoder", "d_embedding", "d_context"])
@pytest.mark.parametrize("parameters", [12_000, 50_000, 247_333])
def test_width_for_comes_as_near_as_it_can(field, parameters):
    config = RecurrentConfig(40, 50, d_embedding=16, d_encoder=16, d_decoder=16, d_context=16)

    def miss(width: int) -> int:
        return abs(parameters_of(replace(config, **{field: width})) - parameters)

    width = width_for(parameters, config, field)
    assert miss(width) <= miss(width + 1)
    assert width == 1 or miss(width) <= miss(width - 1)


def test_models_of_both_kinds_at_equal_size():
    looking_back = RecurrentConfig(249, 371, "additive")
    wanted = parameters_of(looking_back)
    fixed = replace(looking_back, score=None)
    fixed = replace(fixed, d_decoder=width_for(wanted, fixed))
    assert parameters_of(fixed) == pytest.approx(wanted, rel=0.01)
    assert width_for(wanted, looking_back) == looking_back.d_decoder


def test_a_seed_makes_a_model_and_disturbs_nothing():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    model, twin, other = (new_translator(TINY, seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    pairs = list(zip(model.parameters(), twin.parameters(), other.parameters(), strict=True))
    assert all(torch.equal(ours, same) for ours, same, _ in pairs)
    assert not any(torch.equal(ours, different) for ours, _, different in pairs)


@each_model
def test_a_model_comes_back_from_its_file(config, tmp_path):
    model = new_translator(config, 4)
    save(tmp_path / "model.safetensors", model)
    again = load(tmp_path / "model.safetensors")
    assert again.config == config
    source = pad([[3, 4, 5]])
    assert torch.equal(again(source, source), model(source, source))


# ------------------------------------------------------- how far a gradient gets


@pytest.mark.parametrize("cell", CELLS.values())
def test_reach_is_the_norm_of_the_jacobian(cell):
    torch.manual_seed(0)
    cell = cell(3, 4, batch_first=True).double()
    x = uniform(generator(), 2, 5, 3)
    reach = gradient_reach(cell, x)
    assert reach.shape == (2, 5)
    for row in range(2):
        jacobian = torch.autograd.functional.jacobian(lambda x: cell(x[None])[0][0, -1], x[row])
        for k in range(5):
            expected = jacobian[:, 4 - k].norm()  # jacobian: (d_state, length, d_input)
            assert reach[row, k].item() == pytest.approx(expected.item(), abs=1e-12)
    assert x.grad is None
    assert not x.requires_grad
    assert all(parameter.grad is None for parameter in cell.parameters())


def test_reach_of_a_linear_network_is_a_power():
    cell = nn.RNN(2, 2, nonlinearity="relu", batch_first=True).double()
    turn, size = torch.tensor([[0.6, 0.8], [0.8, 0.6]]).double(), 0.5
    with torch.no_grad():
        cell.weight_ih_l0.copy_(torch.eye(2))
        cell.weight_hh_l0.copy_(size * turn)
        cell.bias_ih_l0.fill_(1)  # all positive: the ReLU lets everything through
        cell.bias_hh_l0.fill_(1)
    reach = gradient_reach(cell, torch.rand(1, 8, 2, generator=generator()).double())
    expected = [torch.linalg.matrix_power(size * turn, k).norm().item() for k in range(8)]
    assert reach[0].tolist() == pytest.approx(expected)


def test_an_open_gate_lets_the_gradient_through():
    cells = {}
    for bias in (0.0, 20.0):
        torch.manual_seed(0)
        gru = nn.GRU(3, 4, batch_first=True).double()
        with torch.no_grad():
            gru.bias_hh_l0[4:8] += bias  # the update gate: keep the state
            gru.weight_ih_l0[4:8] = 0
        x = uniform(generator(), 1, 1, 3).expand(1, 30, 3)
        cells[bias] = gradient_reach(gru, x)[0]
    assert cells[0.0][29] < 1e-4 * cells[0.0][0]
    assert cells[20.0][29] > 0.99 * cells[20.0][0]


# ---------------------------------------------------------------------- learning


def reversals(count: int, seed: int) -> list[tuple[list[int], list[int]]]:
    """Draw pairs of a sequence of 4 to 10 symbols and the same backwards."""
    rng = random.Random(seed)
    rows = [[rng.randrange(3, 23) for _ in range(rng.randint(4, 10))] for _ in range(count)]
    return [(row, row[::-1]) for row in rows]


def error_rate(model: Translator, pairs: list, late: int) -> float:
    """Compare the weights of the step that writes each word, or of a later one, with the truth."""
    found = []
    for source, target in pairs:
        _, weights = model(pad([source]), pad([target]), return_weights=True)
        found.append(strongest_links(weights[0, late:], len(source), len(target)))
    sure = [{(len(source) - 1 - t, t) for t in range(len(source))} for source, _ in pairs]
    return alignment_error_rate(found, sure)


@pytest.mark.arithmetic
@pytest.mark.parametrize(
    "score", ["additive", *(pytest.param(other, marks=pytest.mark.slow) for other in (None, "dot"))]
)
def test_looking_back_learns_to_reverse_in_three_seconds(score):
    config = RecurrentConfig(
        23, 23, score, d_embedding=32, d_encoder=32, d_decoder=48, d_context=64, d_score=32
    )
    model = new_translator(config, seed=0)
    data = BatchesByLength(reversals(5000, seed=0), size=64, seed=0)
    recipe = Recipe(learning_rate=5e-3, schedule="linear", warm_up=20, steps=250)
    TrainingRun(model, data, recipe).advance(250)
    test = reversals(200, seed=1)
    outputs = decode_all(partial(greedy, model, max_length=15), [source for source, _ in test])
    exact = sum(exact_matches(outputs, [target for _, target in test])) / len(test)
    right, tokens = right_tokens(model, test)
    accuracy = (right.sum() / tokens.sum()).item()
    if score is None:
        assert exact < 0.3
        assert 0.4 < accuracy < 0.9
    else:
        assert exact > 0.9
        assert accuracy > 0.98
        # Its weights are an alignment at the step that writes a word, and none a step later.
        assert error_rate(model, test[:60], late=0) < 0.1
        assert error_rate(model, test[:60], late=1) > 0.7
