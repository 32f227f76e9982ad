"""`attention.generate` against all sentences there are, against loops, and by hand."""

import copy
import itertools
import math
import os
from dataclasses import FrozenInstanceError, replace
from functools import cache, partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from attention.generate import (
    Beams,
    Hypothesis,
    RecurrentStepper,
    Stepper,
    TransformerStepper,
    beam,
    best_first,
    draw,
    forced_scores,
    greedy,
    length_penalty,
    log_probabilities,
    n_best,
    new_beams,
    pick,
    sample,
    stepper_for,
    truncate,
    write,
)
from attention.interventions import cross_weights
from attention.recurrent import RecurrentConfig, new_translator
from attention.training import END, PADDING, START, decode_all, pad
from attention.transformer import NORMS, POSITIONS, Transformer, TransformerConfig, new_transformer

# Random cases per property; the mutation tester asks for fewer.
CASES = int(os.environ.get("ATTENTION_TEST_CASES", "50"))
many_cases = settings(max_examples=4 * CASES)
some_cases = settings(max_examples=max(CASES // 2, 10))
few_cases = settings(max_examples=max(CASES // 5, 5))

SYMBOLS = 12
RECURRENT = RecurrentConfig(
    SYMBOLS, SYMBOLS + 2, d_embedding=3, d_encoder=4, d_decoder=5, d_context=6, d_score=7
)
TRANSFORMER = TransformerConfig(
    SYMBOLS, SYMBOLS + 2, 8, heads=2, d_ff=6, encoder_layers=1, decoder_layers=1, max_length=16
)
CONFIGS = [
    replace(RECURRENT, reading="forwards"),
    replace(RECURRENT, score="additive"),
    replace(RECURRENT, score="dot", cell="lstm"),
    *(replace(TRANSFORMER, position=p, norm=norm) for p in POSITIONS for norm in NORMS),
]
# Made otherwise, and written with in the same way.
BACKWARDS = replace(RECURRENT, score="dot", reading="backwards", cell="rnn")
DEEP = replace(TRANSFORMER, encoder_layers=2, decoder_layers=3)


def name(config) -> str:
    if isinstance(config, RecurrentConfig):
        return f"recurrent-{config.score}"
    return f"{config.position}-{config.norm}"


each_model = pytest.mark.parametrize("config", CONFIGS, ids=name)
configs = st.sampled_from(CONFIGS)
generators = st.integers(0, 2**32 - 1).map(lambda seed: torch.Generator().manual_seed(seed))
alphas = st.sampled_from([0.0, 0.5, 1, 3.0])


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@cache
def double(config, seed: int = 0) -> nn.Module:
    """Make a model in float64 that has opinions: no two logits are alike."""
    new = new_translator if isinstance(config, RecurrentConfig) else new_transformer
    model = new(config, seed).double().eval()
    rng = generator(seed)
    for parameter in model.parameters():
        nn.init.uniform_(parameter, -1, 1, generator=rng)
    return model


def sentences(rng: torch.Generator, count: int, longest: int = 6) -> list[list[int]]:
    """Draw token lists of 0 to `longest` tokens."""
    lengths = torch.randint(longest + 1, (count,), generator=rng).tolist()
    return [torch.randint(END + 1, SYMBOLS, (n,), generator=rng).tolist() for n in lengths]


def largest_error(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    assert ours.shape == theirs.shape
    return (ours - theirs).abs().max().item() if ours.numel() else 0


def float64(numbers: list) -> torch.Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def sources(*numbers: int) -> torch.Tensor:
    """Make sources of one token each."""
    return torch.tensor(numbers)[:, None]


def check_rows(rows: torch.Tensor, max_length: int) -> None:
    """Check that each row is tokens, END and PADDING, or as many tokens as there may be."""
    assert 1 <= rows.shape[1] <= max_length
    assert rows[:, -1].any()
    for row in rows.tolist():
        assert START not in row
        if END in row:
            assert not any(row[row.index(END) + 1 :])
            row = row[: row.index(END)]
        else:
            assert len(row) == max_length
        assert PADDING not in row


# -------------------------------------------------------------------- made-up models


class Told:
    """A Stepper that looks up what it says: logits for a source's first token and a beginning."""

    def __init__(self, symbols: int):
        self.symbols, self.model = symbols, nn.Module()
        self.steps, self.rows = 0, 0

    def logits(self, source: int, before: tuple[int, ...]) -> torch.Tensor:
        raise NotImplementedError

    def start(self, source):
        return source[:, 0], None, source[:, :0]

    def step(self, state, token):
        first, nothing, written = state
        assert nothing is None
        assert token.shape == first.shape == (len(written),)
        self.steps, self.rows = self.steps + 1, len(token)
        written = torch.cat([written, token[:, None]], 1)
        assert (written[:, 0] == START).all()
        rows = zip(first.tolist(), written.tolist(), strict=True)
        logits = [self.logits(number, tuple(row[1:])) for number, row in rows]
        return torch.stack(logits), (first, None, written)

    def log_p(self, source: int, before: tuple[int, ...]) -> list[float]:
        logits = self.logits(source, before).clone()
        logits[[PADDING, START]] = -torch.inf
        return logits.log_softmax(-1).tolist()


class Drawn(Told):
    """Draws the logits of each beginning once; whole numbers if ties are wanted."""

    def __init__(self, symbols: int, seed: int, levels: int | None = None):
        super().__init__(symbols)
        self.seed, self.levels, self.known = seed, levels, {}

    def logits(self, source, before):
        key = (source, before)
        if key not in self.known:
            number = self.seed
            for token in (source, *before):
                number = (number * 31 + token + 1) % (2**61 - 1)
            logits = 4 * torch.rand(self.symbols, generator=generator(number)).double()
            self.known[key] = logits if self.levels is None else (logits / 4 * self.levels).floor()
        return self.known[key]


class Given(Told):
    """Has probabilities that the test wrote down; whatever is not there ends at once."""

    def __init__(self, table: dict[tuple[int, ...], dict[int, float]], symbols: int = 6):
        super().__init__(symbols)
        self.table = table

    def logits(self, source, before):
        p = torch.zeros(self.symbols, dtype=torch.float64)
        for token, share in self.table.get(before, {END: 1.0}).items():
            p[token] = share
        return p.log()


# ------------------------------------------------------------- the steps of a model


@each_model
def test_steps_say_what_the_model_says_at_once(config):
    model = double(config)
    source, target = pad(sentences(generator(1), 4)), pad(sentences(generator(2), 4))
    with torch.no_grad():
        expected = model(source, target)
        stepper = stepper_for(model)
        assert isinstance(stepper, Stepper)
        assert stepper.model is model
        state, token = stepper.start(source), torch.full((4,), START)
        for t in range(target.shape[1]):
            logits, state = stepper.step(state, token)
            assert largest_error(logits, expected[:, t]) <= 1e-12
            token = target[:, t]


@each_model
def test_picked_rows_go_on_where_the_old_ones_stood(config):
    stepper, rows = stepper_for(double(config)), torch.tensor([2, 0, 0, 3, 2])
    with torch.no_grad():
        state = stepper.start(pad(sentences(generator(1), 4)))
        _, state = stepper.step(state, torch.tensor([START] * 4))
        _, state = stepper.step(state, torch.tensor([3, 4, 5, 6]))
        logits, old = stepper.step(state, torch.tensor([7, 8, 9, 10]))
        picked, new = stepper.step(pick(state, rows), torch.tensor([7, 8, 9, 10])[rows])
    assert largest_error(picked, logits[rows]) <= 1e-12
    for before, after in zip(old, new, strict=True):
        assert (before is None) == (after is None)
        assert before is None or largest_error(before[rows].double(), after.double()) <= 1e-12


def test_which_stepper_a_model_gets():
    recurrent, transformer = double(CONFIGS[0]), double(CONFIGS[-1])
    assert stepper_for(recurrent) == RecurrentStepper(recurrent)
    assert stepper_for(transformer) == TransformerStepper(transformer)
    told = Drawn(6, 0)
    assert stepper_for(told) is told
    assert not isinstance(recurrent, Stepper)
    assert not isinstance(transformer, Stepper)


def test_log_probabilities_leave_nothing_to_padding_and_start():
    logits = torch.tensor([[[9.0, 9.0, 0.0, math.log(3)]], [[0.0, -9.0, 2.0, 2.0]]])
    before = logits.clone()
    log_p = log_probabilities(logits)
    expected = torch.tensor([[[0, 0, 0.25, 0.75]], [[0, 0, 0.5, 0.5]]])
    assert log_p.dtype == torch.float64
    assert largest_error(log_p.exp(), expected.double()) < 1e-7
    assert (log_p[..., [PADDING, START]] == -torch.inf).all()
    assert torch.equal(logits, before)
    for dtype in (torch.float16, torch.bfloat16):
        log_p = log_probabilities(torch.tensor([0.0, 0.0, 0.0, 10.0], dtype=dtype))
        assert log_p.dtype == torch.float64
        assert log_p[3].item() == pytest.approx(-math.log1p(math.exp(-10)), rel=1e-9)


# --------------------------------------------------- all decoders, whatever the model


def beam_1(model, source, max_length=100, alpha=0.0):
    return beam(model, source, 1, alpha, max_length)


def drawing(model, source, max_length=100, **settings):
    return sample(model, source, generator(5), max_length=max_length, **settings)


DECODERS = {
    "greedy": greedy,
    "beam 1": beam_1,
    "beam 3": lambda model, source, max_length=100: beam(model, source, 3, 0.5, max_length),
    "sample": drawing,
    "top": partial(drawing, top_k=4, top_p=0.8, temperature=0.7),
}
each_decoder = pytest.mark.parametrize("decode", DECODERS.values(), ids=DECODERS)
decoders = st.sampled_from(list(DECODERS.values()))


@some_cases
@given(decoders, configs, generators, st.integers(0, 4), st.integers(1, 8))
def test_what_is_written_is_tokens_then_end_then_padding(decode, config, rng, seed, longest):
    rows = decode(double(config, seed), pad(sentences(rng, 4)), longest)
    assert rows.dtype == torch.int64
    assert len(rows) == 4
    check_rows(rows, longest)


@each_decoder
def test_end_ends_and_padding_and_start_are_never_written(decode):
    assert decode(Given({}), sources(3, 4)).tolist() == [[END]] * 2
    certain = Given({(): {PADDING: 0.5, START: 0.49, 5: 0.01}, (5,): {START: 1.0, END: 1e-9}})
    assert decode(certain, sources(3)).tolist() == [[5, END]]
    for_ever = Given({(5,) * n: {5: 1.0} for n in range(150)})
    assert decode(for_ever, sources(3), 3).tolist() == [[5, 5, 5]]
    assert decode(for_ever, sources(3, 4)).tolist() == [[5] * 100] * 2
    ends_last = Given({(): {4: 1.0}, (4,): {5: 1.0}})
    assert decode(ends_last, sources(3), 3).tolist() == [[4, 5, END]]
    assert decode(ends_last, sources(3), 2).tolist() == [[4, 5]]
    assert decode(ends_last, sources(3), 1).tolist() == [[4]]


@few_cases
@given(decoders, configs, generators, st.integers(0, 4))
def test_neither_neighbours_nor_padding_change_a_sentence(decode, config, rng, more):
    model = double(config)
    ours, others, longer = sentences(rng, 3), sentences(rng, 3), sentences(rng, 3, 12)
    together = decode_all(partial(decode, model, max_length=5), ours, size=3)
    source = F.pad(pad(sorted(ours, key=len)), (0, more))
    padded = decode(model, source, max_length=5)
    assert decode_all(lambda _: padded, ours, size=3) == together

    rows = decode(model, pad(ours), max_length=5)
    for neighbours in (others, longer):
        again = decode(model, pad([ours[0], neighbours[1], ours[2]]), max_length=5)
        for row in (0, 2):
            wide = max(rows.shape[1], again.shape[1])
            one, other = (F.pad(x[row], (0, wide - x.shape[1])) for x in (rows, again))
            assert torch.equal(one, other)
    alone = decode(model, pad(ours[:1]), max_length=5)[0]
    assert torch.equal(alone, rows[0, : len(alone)])
    assert not rows[0, len(alone) :].any()


@each_decoder
@pytest.mark.parametrize("config", [CONFIGS[1], CONFIGS[3]], ids=name)
def test_dropout_and_gradients_are_off_and_come_back(decode, config):
    model = copy.deepcopy(double(replace(config, dropout=0.5)))
    source, expected = pad([[5, 3, 9, 7]]), decode(double(config), pad([[5, 3, 9, 7]]), 8)
    for training in (True, False):
        model.train(training)
        assert torch.equal(decode(model, source, 8), expected)
        assert model.training is training
        scores = forced_scores(model, source, expected)
        assert torch.equal(scores, forced_scores(double(config), source, expected))
        assert model.training is training
        assert not scores.requires_grad
    stepper = Watching(model.train())
    decode(stepper, source, 4)
    assert stepper.seen == {(False, False)}


class Watching(Told):
    """Notes whether dropout and gradients are on while it is asked."""

    def __init__(self, model: nn.Module):
        super().__init__(5)
        self.model, self.seen = model, set()

    def logits(self, source, before):
        self.seen.add((self.model.training, torch.is_grad_enabled()))
        return torch.arange(5.0)


# ------------------------------------------------------------------------ greedy


@some_cases
@given(
    st.sampled_from([*CONFIGS, BACKWARDS, DEEP]),
    generators,
    st.integers(0, 4),
    st.integers(1, 8),
    alphas,
)
def test_greedy_is_a_beam_of_one_and_what_forced_scoring_finds_likeliest(
    config, rng, seed, longest, alpha
):
    model, source = double(config, seed), pad(sentences(rng, 4))
    rows = greedy(model, source, longest)
    assert torch.equal(beam(model, source, 1, alpha, longest), rows)
    with torch.no_grad():
        logits = model(source, rows)
    logits[:, :, [PADDING, START]] = -torch.inf
    written = rows != PADDING
    assert torch.equal(logits.argmax(-1)[written], rows[written])


def test_greedy_is_a_beam_of_one_in_float32_too():
    rng = generator(3)
    for config in CONFIGS[:5]:
        model = copy.deepcopy(double(config, 7)).float()
        source = pad(sentences(rng, 30))
        assert torch.equal(greedy(model, source, 12), beam(model, source, 1, 0.6, 12))


def test_of_equal_tokens_the_lowest_is_taken():
    equal = Given({(): {5: 0.3, 4: 0.3, 3: 0.2, END: 0.2}, (4,): {3: 0.5, END: 0.5}})
    assert greedy(equal, sources(3)).tolist() == [[4, END]]
    assert beam_1(equal, sources(3)).tolist() == [[4, END]]


def often_ending(config, seed: int) -> nn.Module:
    model = copy.deepcopy(double(config, seed))
    with torch.no_grad():
        model.to_logits.weight[END] *= 3
    return model


def ends_sometimes(model, source: torch.Tensor) -> bool:
    return (greedy(model, source, 7) == PADDING).any().item()


@pytest.mark.parametrize("config", [*CONFIGS[:4], CONFIGS[7], BACKWARDS, DEEP], ids=name)
def test_greedy_returns_the_weights_of_what_it_wrote(config):
    source = pad(sentences(generator(4), 10))
    drawn = (often_ending(config, seed) for seed in range(99))
    model = next(model for model in drawn if ends_sometimes(model, source)).train()
    if getattr(config, "score", "attends") is None:
        with pytest.raises(ValueError, match=r"^return_weights: expected False for a model with"):
            greedy(model, source, 7, return_weights=True)
        return
    rows, weights = greedy(model, source, 7, return_weights=True)
    assert model.training
    assert torch.equal(rows, greedy(model, source, 7))
    assert not weights.requires_grad
    model.eval()
    if isinstance(model, Transformer):
        expected = cross_weights(model, source, rows)
    else:
        with torch.no_grad():
            _, expected = model(source, rows, return_weights=True)
    assert weights.shape == expected.shape
    written = rows != PADDING
    by_row, expected = weights.movedim(-2, 1), expected.movedim(-2, 1)
    assert largest_error(by_row[written], expected[written]) <= 1e-12
    assert not by_row[~written].any()
    sums = by_row[written].sum(-1)  # (written tokens, ...)
    assert largest_error(sums, torch.ones_like(sums)) <= 1e-12
    of_stepper = greedy(stepper_for(model), source, 7, return_weights=True)
    assert torch.equal(of_stepper[1], weights)


def test_write_asks_until_all_have_ended():
    told = Given({(): {4: 1.0}, (4,): {4: 1.0}})
    asked = []

    def choose(log_p):
        asked.append(log_p.shape)
        return torch.tensor([END, 4 if len(asked) < 3 else END])

    assert write(told, sources(3, 4), choose, 9).tolist() == [[END, 0, 0], [4, 4, END]]
    assert asked == [(2, 6)] * 3
    assert told.steps == 3


# ----------------------------------------------------------------- forced scoring


@each_model
def test_forced_scores_are_those_of_the_steps(config):
    model = double(config, 2)
    source = pad(sentences(generator(1), 5))
    target = pad([*sentences(generator(2), 4), [3] * 6])
    target[4, 6] = 5  # cut off: there is no END
    scores = forced_scores(model, source, target)
    assert scores.dtype == torch.float64
    with torch.no_grad():
        logits = model(source, target)
    for row in range(5):
        for t, token in enumerate(target[row].tolist()):
            writable = logits[row, t, END:]  # neither PADDING nor START
            expected = (writable[token - END].exp() / writable.exp().sum()).log().item()
            expected = 0.0 if token == PADDING else expected
            assert scores[row, t].item() == pytest.approx(expected, abs=1e-12)
    assert torch.equal(forced_scores(stepper_for(model), source, target), scores)


# ----------------------------------------- against all sentences that there are


def all_sentences(symbols: int, max_length: int) -> list[tuple[int, ...]]:
    """List what can be written: all that end, and all that are cut off."""
    words = range(END + 1, symbols)
    ended = [(*row, END) for n in range(max_length) for row in itertools.product(words, repeat=n)]
    return ended + list(itertools.product(words, repeat=max_length))


def small(config):
    """Make a config's vocabulary that of END and two words."""
    return replace(config, target_vocab_size=5)


ALL = all_sentences(5, 4)
TARGETS = torch.tensor([[*row, *[PADDING] * (4 - len(row))] for row in ALL])


def every_score(model, source: torch.Tensor) -> torch.Tensor:
    """Give the log-probability of each of ALL, for a single source."""
    return forced_scores(model, source.expand(len(ALL), -1), TARGETS).sum(1)


@each_model
@pytest.mark.parametrize("alpha", [0.0, 0.6])
def test_a_beam_as_wide_as_the_space_finds_what_is_best(config, alpha):
    assert len(ALL) == 15 + 16
    model, source = double(small(config), 3), pad([[3, 5], [7, 4, 4, 9], []])
    found = n_best(model, source, 15, len(ALL), alpha, max_length=4)
    tokens, scores = beam(model, source, len(ALL), alpha, 4, return_scores=True)
    for row in range(3):
        totals = every_score(model, source[row : row + 1])
        assert totals.exp().sum().item() == pytest.approx(1, abs=1e-12)
        expected = [
            Hypothesis(list(sentence), total / ((5 + len(sentence)) / 6) ** alpha)
            for sentence, total in zip(ALL[:15], totals.tolist(), strict=False)
        ]
        expected = sorted(expected, key=lambda best: -best.score)
        assert [best.tokens for best in found[row]] == [best.tokens for best in expected]
        assert [best.score for best in found[row]] == pytest.approx(
            [best.score for best in expected], abs=1e-12
        )
        assert tokens[row].tolist()[: len(expected[0].tokens)] == expected[0].tokens
        assert scores[row].item() == found[row][0].score
    assert scores.dtype == torch.float64
    assert torch.equal(beam(model, source, len(ALL), alpha, 4), tokens)


@some_cases
@given(configs, generators, st.integers(0, 4), st.integers(1, 4), alphas, st.integers(1, 6))
def test_scores_are_forced_scores_and_sorted(config, rng, seed, width, alpha, longest):
    model, source = double(config, seed), pad(sentences(rng, 3))
    for row, found in enumerate(n_best(model, source, width, width, alpha, longest)):
        assert 1 <= len(found) <= width
        assert len({tuple(best.tokens) for best in found}) == len(found)
        assert found == sorted(found, key=lambda best: -best.score)
        ended = {best.tokens[-1] == END for best in found}
        assert len(ended) == 1  # cut-off ones only if no other was there
        for best in found:
            assert ended == {True} or len(best.tokens) == longest
            scores = forced_scores(model, source[row : row + 1], torch.tensor([best.tokens]))
            total = scores.sum().item()
            assert best.score == pytest.approx(
                total / length_penalty(len(best.tokens), alpha), abs=1e-11
            )


# ------------------------------------------------------ against a beam of plain loops


def looped_beam(told: Told, source: int, n: int, width: int, alpha: float, max_length: int):
    """Search for a single sentence, to the last step.

    Returns the hypotheses, and the step after which they could not change.
    """

    def score(hypothesis):
        tokens, total = hypothesis
        return total / ((5 + len(tokens)) / 6) ** alpha

    places, finished, needed = [((), 0.0)], [], None
    for step in range(1, max_length + 1):
        candidates = []
        for tokens, total in places:
            if tokens[-1:] == (END,):
                candidates.append((tokens, total))
                continue
            log_p = told.log_p(source, tokens)
            for token in range(END, told.symbols):
                candidates.append(((*tokens, token), total + log_p[token]))
        places = sorted(candidates, key=score, reverse=True)[:width]
        finished += [p for p in places if p[0][-1] == END and len(p[0]) == step]
        hopes = [total for tokens, total in places if tokens[-1] != END]
        best = sorted(map(score, finished), reverse=True)[:n]
        if needed is None and (
            not hopes
            or (len(best) == n and max(hopes) / ((5 + max_length) / 6) ** alpha <= best[-1])
        ):
            needed = step
    best = sorted(finished or places, key=score, reverse=True)[:n]
    return [Hypothesis(list(h[0]), score(h)) for h in best], needed or max_length


@many_cases
@given(
    symbols=st.integers(4, 6),
    seed=st.integers(0, 10**6),
    levels=st.sampled_from([None, 1, 2, 3]),
    width=st.integers(1, 6),
    alpha=alphas,
    max_length=st.integers(1, 6),
    data=st.data(),
)
def test_a_beam_is_that_of_plain_loops(symbols, seed, levels, width, alpha, max_length, data):
    """With ties, which are common at few levels, and not a step more than it takes."""
    told, n = Drawn(symbols, seed, levels), data.draw(st.integers(1, width))
    numbers = data.draw(st.lists(st.integers(3, 9), min_size=1, max_size=3))
    found = n_best(told, sources(*numbers), n, width, alpha, max_length)
    steps = []
    for number, ours in zip(numbers, found, strict=True):
        theirs, needed = looped_beam(told, number, n, width, alpha, max_length)
        steps.append(needed)
        assert [best.tokens for best in ours] == [best.tokens for best in theirs]
        assert [best.score for best in ours] == pytest.approx(
            [best.score for best in theirs], abs=1e-12
        )
    assert told.steps == max(steps)
    # The best is the first of the n best, for every n.
    (first, *_), *_ = n_best(told, sources(*numbers), 1, width, alpha, max_length)
    assert first == found[0][0]


def test_a_wider_beam_finds_what_greedy_misses():
    """The first step's best word leads nowhere: 0.6 · 0.4 is less than 0.4 · 0.9."""
    told = Given({(): {3: 0.6, 4: 0.4}, (3,): {3: 0.3, 4: 0.3, END: 0.4}, (4,): {END: 0.9, 3: 0.1}})
    assert greedy(told, sources(3)).tolist() == [[3, END]]
    tokens, scores = beam(told, sources(3), 2, return_scores=True)
    assert tokens.tolist() == [[4, END]]
    assert scores.item() == pytest.approx(math.log(0.36))


def test_a_finished_sentence_is_driven_out_but_remembered():
    """END alone, 0.30, must make room for 0.33 and 0.32, of which the second wins."""
    told = Given(
        {
            (): {3: 0.66, END: 0.30, 4: 0.04},
            (3,): {3: 0.5, 4: 0.485, END: 0.015},
            (3, 3): {token: 0.25 for token in range(2, 6)},
        }
    )
    found = n_best(told, sources(3), 2, width=2)
    assert [best.tokens for best in found[0]] == [[3, 4, END], [END]]
    expected = [math.log(0.66 * 0.485), math.log(0.30)]
    assert [best.score for best in found[0]] == pytest.approx(expected)


def test_hypotheses_that_are_cut_off_count_only_if_none_has_ended():
    told = Given({(): {3: 0.9, END: 0.1}, (3,): {3: 1.0}, (3, 3): {3: 1.0}})
    (found,) = n_best(told, sources(3), 2, width=2, max_length=2)
    assert [best.tokens for best in found] == [[END]]
    (found,) = n_best(told, sources(3), 1, width=1, max_length=2)
    assert found == [Hypothesis([3, 3], pytest.approx(math.log(0.9)))]
    (found,) = n_best(told, sources(3), 2, width=2, max_length=1)
    assert [best.tokens for best in found] == [[END]]


def test_nothing_is_put_into_the_beam_from_outside():
    """The greedy sentence may be lost on the way: at the second step two are likelier."""
    told = Given(
        {
            (): {3: 0.4, 4: 0.35, 5: 0.25},
            (3,): {3: 0.26, 4: 0.25, 5: 0.25, END: 0.24},
            (4,): {3: 0.5, 4: 0.5},
            (4, 3): {token: 0.25 for token in range(2, 6)},
            (4, 4): {token: 0.25 for token in range(2, 6)},
        }
    )
    greedy_score = math.log(0.4 * 0.26)
    tokens, scores = beam(told, sources(3), 2, return_scores=True)
    assert greedy(told, sources(3)).tolist() == [[3, 3, END]]
    assert tokens.tolist() == [[4, 3, END]]
    assert scores.item() == pytest.approx(math.log(0.35 * 0.5 * 0.25))
    assert scores.item() < greedy_score


# -------------------------------------------------------------- the length penalty


def test_the_length_penalty_of_wu_et_al():
    assert length_penalty(1, 0.6) == 1
    assert length_penalty(7, 1) == 2
    assert length_penalty(7, 2) == 4
    assert length_penalty(19, 0.5) == 2
    assert length_penalty(33, 0) == 1
    of_tensor = length_penalty(float64([1.0, 7.0, 19.0]), 0.5)
    assert of_tensor.tolist() == pytest.approx([1, 2**0.5, 2])


def test_the_penalty_changes_the_winner_as_computed_by_hand():
    """0.5 in one token against 0.4 in seven: log 0.5 / 1 = −0.693, log 0.4 / 2^α.

    They are equal when 2^α = log 0.4 / log 0.5 = 1.3219, at α = 0.4026.
    """
    words = (3, 4, 3, 4, 3, 4)
    told = Given(
        {
            (): {END: 0.5, 3: 0.4, 5: 0.1},
            **{words[:n]: {words[n]: 1.0} for n in range(1, 6)},
        }
    )
    turn = math.log2(math.log(0.4) / math.log(0.5))
    for alpha in (0, 0.2, turn - 1e-6):
        tokens, scores = beam(told, sources(3), 3, alpha, return_scores=True)
        assert tokens.tolist() == [[END]]
        assert scores.item() == pytest.approx(math.log(0.5))
    for alpha in (turn + 1e-6, 0.6, 1, 2.0):
        tokens, scores = beam(told, sources(3), 3, alpha, return_scores=True)
        assert tokens.tolist() == [[*words, END]]
        assert scores.item() == pytest.approx(math.log(0.4) / 2**alpha)


def test_the_search_stops_when_nothing_can_change():
    """END has 0.6 at once; what goes on keeps 0.4 and never ends."""
    told = Given({(): {END: 0.6, 3: 0.4}} | {(3,) * n: {3: 1.0} for n in range(1, 200)})
    beam(told, sources(3), 2)
    assert told.steps == 1
    told.steps = 0
    n_best(told, sources(3), 2, width=2, max_length=30)
    assert told.steps == 30  # a second one might still come
    told.steps = 0
    # With a penalty there is hope: log 0.4 / (35 / 6)^α is the better one from α = 0.331.
    beam(told, sources(3), 2, alpha=0.32, max_length=30)
    assert told.steps == 1
    beam(told, sources(3), 2, alpha=0.34, max_length=30)
    assert told.steps == 31


# ------------------------------------------------------------- the parts of the beam


def test_a_new_beam_has_one_beginning():
    beams = new_beams(2, 3, 0.5)
    assert beams.written.tolist() == [[[START]] * 3] * 2
    assert beams.totals.tolist() == [[0.0, -math.inf, -math.inf]] * 2
    assert beams.totals.dtype == torch.float64
    assert beams.alpha == 0.5
    assert beams.lengths.tolist() == [[0, 0, 0]] * 2
    assert beams.going_on.tolist() == [[True, False, False]] * 2
    assert not beams.just_ended.any()


def test_a_beam_grows_by_hand():
    written = torch.tensor([[[START, 3, 4], [START, END, PADDING], [START, 4, END]]])
    totals = float64([[-1.0, -2.0, -3.0]])
    beams = Beams(written, totals, 0.0)
    assert beams.lengths.tolist() == [[2, 1, 2]]
    assert beams.going_on.tolist() == [[True, False, False]]
    assert beams.just_ended.tolist() == [[False, False, True]]
    log_p = float64([[[0.0, 0, 0, 0, 0]] * 3])
    log_p[0, 0] = torch.tensor([-math.inf, -math.inf, -1.5, -0.5, -1.0])
    grown, parents = beams.grow(log_p)
    assert parents.tolist() == [[0, 0, 1]]  # −1.5, −2 by token 4, and −2 by having ended
    assert grown.totals.tolist() == [[-1.5, -2.0, -2.0]]
    assert grown.written.tolist() == [[[1, 3, 4, 3], [1, 3, 4, 4], [1, END, 0, 0]]]
    assert grown.alpha == 0.0
    assert beams.hopes(7).tolist() == [[-1.0, -math.inf, -math.inf]]

    # With α = 1: −1.5 / (8/6), −2 / (8/6), −2.5 / (8/6), −2, −3 / (7/6).
    beams = Beams(written, totals, 1)
    grown, parents = beams.grow(log_p)
    assert grown.written[0, :, -1].tolist() == [3, 4, END]
    assert grown.totals.tolist() == [[-1.5, -2.0, -2.5]]
    assert parents.tolist() == [[0, 0, 0]]
    assert beams.hopes(7).tolist() == [[-0.5, -math.inf, -math.inf]]
    totals = float64([[-1.0, -1.6, -1.5]])  # −1.125, −1.5, −1.875 and −1.6, −1.286
    grown, parents = Beams(written, totals, 1).grow(log_p)
    assert grown.totals.tolist() == [[-1.5, -1.5, -2.0]]
    assert parents.tolist() == [[0, 2, 0]]
    lists = [[Hypothesis([7], 0.0)]]
    beams.collect(beams.just_ended, lists)
    assert lists == [[Hypothesis([7], 0.0), Hypothesis([4, END], pytest.approx(-3 / (7 / 6)))]]


def test_best_first_keeps_the_order_of_equals():
    found = [Hypothesis([n], score) for n, score in enumerate([-2.0, -1.0, -2.0, -1.0, 0.0])]
    assert [best.tokens[0] for best in best_first(found)] == [4, 1, 3, 0, 2]


# ------------------------------------------------------------------------ sampling


def kept(p: list[float], **settings) -> list[int]:
    log_p = float64([p]).log()
    result = truncate(log_p, **({"top_k": None, "top_p": 1.0} | settings))
    assert result.shape == log_p.shape
    left = (result > -torch.inf)[0]
    assert torch.equal(result[0][left], log_p[0][left])
    return left.nonzero().flatten().tolist()


def test_truncation_by_hand():
    p = [0, 0, 0.1, 0.4, 0.2, 0.3]
    assert kept(p) == [2, 3, 4, 5]
    for top_k, expected in [(1, [3]), (2, [3, 5]), (3, [3, 4, 5]), (4, [2, 3, 4, 5])]:
        assert kept(p, top_k=top_k) == expected
    assert kept(p, top_k=99) == [2, 3, 4, 5]
    for top_p, expected in [
        (1e-9, [3]),
        (0.39, [3]),
        (0.41, [3, 5]),
        (0.69, [3, 5]),
        (0.71, [3, 4, 5]),
        (0.89, [3, 4, 5]),
        (0.91, [2, 3, 4, 5]),
        (1, [2, 3, 4, 5]),
    ]:
        assert kept(p, top_p=top_p) == expected
    # Of the two that top_k leaves, the first has 4/7.
    assert kept(p, top_k=2, top_p=0.57) == [3]
    assert kept(p, top_k=2, top_p=0.58) == [3, 5]


def test_truncation_of_equals():
    p = [0, 0, 0.25, 0.25, 0.25, 0.25]
    assert kept(p, top_k=2) == [2, 3]
    assert kept(p, top_p=0.5) == [2, 3]  # they have just 0.5
    assert kept(p, top_p=0.51) == [2, 3, 4]
    assert kept(p, top_p=0.25) == [2]


def test_with_top_p_of_1_the_rarest_stays():
    log_p = float64([[0.0, -60.0, -700.0]])  # to float64, 1 + exp(−60) is 1
    for one in (1.0, 1):
        assert torch.equal(truncate(log_p, None, one), log_p)
    assert truncate(log_p, None, 0.999999).isinf().tolist() == [[False, True, True]]


def test_truncation_treats_each_row_for_itself_and_leaves_its_input_alone():
    log_p = torch.tensor([[0.5, 0.2, 0.3], [0.1, 0.6, 0.3]]).log()
    before = log_p.clone()
    left = truncate(log_p, top_k=2, top_p=0.9)
    assert (left > -torch.inf).tolist() == [[True, False, True], [False, True, True]]
    assert torch.equal(log_p, before)


def test_a_number_falls_on_a_token_as_wide_as_its_probability():
    for factor in (1.0, 7.0):  # need not be normalised
        log_p = (factor * float64([[0, 0, 0.125, 0.5, 0, 0.375]])).log()
        numbers = (torch.arange(16).double() + 0.5) / 16
        tokens = draw(log_p.expand(16, -1), numbers)
        assert tokens.tolist() == [2] * 2 + [3] * 8 + [5] * 6
        for number, token in [(0.0, 2), (1 - 2**-53, 5)]:
            assert draw(log_p, float64([number])).tolist() == [token]
    log_p = float64([[0, 0, 1, 1, 0, 1, 1]]).log()  # each place from an exact number
    tokens = draw(log_p.expand(8, -1), torch.arange(8).double() / 8)
    assert tokens.tolist() == [2, 2, 3, 3, 5, 5, 6, 6]
    log_p = float64([[0.5, 0.5, 0.0], [0.0, 0.25, 0.75]]).log()
    assert draw(log_p, float64([0.75, 0.2])).tolist() == [1, 1]


def check_frequencies(counts: torch.Tensor, p: torch.Tensor) -> None:
    """Pearson's chi-square: for n outcomes, n − 1 on average, with a spread of √(2n)."""
    expected = p * counts.sum()
    possible = p > 0
    assert not counts[~possible].any()
    surprise = ((counts - expected) ** 2 / expected)[possible].sum().item()
    outcomes = possible.sum().item()
    assert surprise < outcomes + 5 * math.sqrt(2 * outcomes)


@pytest.mark.parametrize("config", [CONFIGS[0], CONFIGS[1], CONFIGS[3], CONFIGS[8]], ids=name)
def test_sentences_are_drawn_as_often_as_they_are_likely(config):
    model, source = double(small(config), 3), pad([[3, 5]])
    rows = sample(model, source.expand(4000, -1), generator(1), max_length=4)
    check_rows(rows, 4)
    rows = F.pad(rows, (0, 4 - rows.shape[1]))
    counts = torch.tensor([(rows == target).all(1).sum() for target in TARGETS])
    assert counts.sum() == 4000
    check_frequencies(counts, every_score(model, source).exp())


@pytest.mark.parametrize(
    ("settings", "weights"),
    [
        ({}, [0.4, 0.1, 0.2, 0.3]),
        ({"temperature": 1, "top_p": 1}, [0.4, 0.1, 0.2, 0.3]),
        ({"temperature": 0.5}, [0.16, 0.01, 0.04, 0.09]),
        ({"temperature": 2.0}, [0.4**0.5, 0.1**0.5, 0.2**0.5, 0.3**0.5]),
        ({"temperature": 1e9}, [1, 1, 1, 1]),
        ({"top_k": 2}, [0.4, 0, 0, 0.3]),
        ({"top_p": 0.8}, [0.4, 0, 0.2, 0.3]),
        ({"top_k": 2, "top_p": 0.5}, [0.4, 0, 0, 0]),
        # The share is counted after the temperature: 0.16 of 0.30 is more than half.
        ({"temperature": 0.5, "top_p": 0.5}, [0.4, 0, 0, 0]),
        ({"top_p": 0.5}, [0.4, 0, 0, 0.3]),
    ],
)
def test_settings_change_the_frequencies_as_they_say(settings, weights):
    told = Given({(): dict(zip([2, 3, 4, 5], [0.4, 0.1, 0.2, 0.3], strict=True))})
    drawn = sample(told, sources(*[3] * 3000), generator(2), max_length=1, **settings)
    counts = torch.bincount(drawn[:, 0], minlength=6)
    p = float64([0, 0, *weights])
    check_frequencies(counts, p / p.sum())


@few_cases
@given(configs, generators)
def test_near_0_degrees_it_is_greedy(config, rng):
    model, source = double(config, 5), pad(sentences(rng, 4))
    expected = greedy(model, source, 5)
    for limits in [{"temperature": 1e-9}, {"top_k": 1}, {"top_p": 1e-9}]:
        assert torch.equal(sample(model, source, rng, max_length=5, **limits), expected)


def test_no_temperature_is_too_low():
    told = Given({(): {3: 0.2, 4: 0.5, 5: 0.3}, (4,): {END: 0.01, 3: 0.99}})
    for temperature in (1e-3, 1e-300, 5e-324):
        drawn = sample(told, sources(*[3] * 50), generator(), temperature)
        assert drawn.tolist() == [[4, 3, END]] * 50


def test_a_generator_decides_and_goes_on():
    model, source = double(CONFIGS[1]), pad(sentences(generator(1), 8))
    rng = generator(9)
    first, second = (sample(model, source, rng, max_length=8) for _ in range(2))
    again = sample(model, source, generator(9), max_length=8)
    assert torch.equal(first, again)
    assert first.tolist() != second.tolist()
    torch.manual_seed(3)  # the global generator has no part in it
    state = torch.get_rng_state()
    assert torch.equal(sample(model, source, generator(9), max_length=8), first)
    assert torch.equal(torch.get_rng_state(), state)


def test_steps_draw_anew():
    """A fair coin at each step: 2 · 2 · 2 sentences, each as often."""
    coin = {3: 0.5, 4: 0.5}
    beginnings = [row for n in range(3) for row in itertools.product([3, 4], repeat=n)]
    told = Given({row: coin for row in beginnings})
    rows = sample(told, sources(*[3] * 4000), generator(3), max_length=3)
    numbers = (rows - 3) @ torch.tensor([4, 2, 1])
    check_frequencies(torch.bincount(numbers, minlength=8), torch.full((8,), 1 / 8).double())


def test_settings_that_are_not_given():
    for_ever = Given({(5,) * n: {5: 1.0} for n in range(150)})
    assert greedy(for_ever, sources(3)).shape == (1, 100)
    assert sample(for_ever, sources(3), generator()).shape == (1, 100)
    assert beam(for_ever, sources(3)).shape == (1, 100)
    assert for_ever.rows == 4
    ((found,),) = n_best(for_ever, sources(3, 3), 1)[:1]
    assert len(found.tokens) == 100
    assert for_ever.rows == 8


def test_what_is_made_is_not_changed():
    model = double(CONFIGS[0])
    for frozen, field in [
        (RecurrentStepper(model), "model"),
        (TransformerStepper(double(CONFIGS[-1])), "model"),
        (new_beams(1, 2, 0.0), "totals"),
    ]:
        with pytest.raises(FrozenInstanceError):
            setattr(frozen, field, None)


def test_what_a_row_draws_is_its_own():
    """Rows that end leave the numbers of the others where they were."""
    model, rng = double(CONFIGS[3]), generator(2)
    ours = sentences(rng, 6)
    together = sample(model, pad(ours), generator(8), max_length=9)
    fewer = sample(model, pad(ours[:4]), generator(8), max_length=9)
    width = min(together.shape[1], fewer.shape[1])
    assert torch.equal(together[:4, :width], fewer[:, :width])
    assert len({tuple(row) for row in together.tolist()}) > 3


# ----------------------------------------------------- where positions come to an end


@pytest.mark.parametrize("most", [1, 4])
def test_a_model_without_more_positions_gives_what_it_has_written(most):
    """With learned positions it can read START and `most` - 1 tokens: it writes `most`."""
    model = copy.deepcopy(double(replace(TRANSFORMER, position="learned", max_length=most)))
    model.to_logits = nn.Linear(TRANSFORMER.d_model, SYMBOLS + 2).double()
    nn.init.zeros_(model.to_logits.weight)
    with torch.no_grad():
        model.to_logits.bias[5] = 9.0  # 5 for ever, and no END
    source = sources(3)
    expected = [[5] * most]
    for max_length in (most, most + 1, 99):
        assert greedy(model, source, max_length).tolist() == expected
        assert beam(model, source, 1, max_length=max_length).tolist() == expected
        drawn = sample(model, source, generator(), 0.01, max_length=max_length)
        assert drawn.tolist() == expected
        ((best,),) = n_best(model, source, 1, 1, max_length=max_length)
        assert best.tokens == expected[0]
        scores = forced_scores(model, source, torch.tensor([best.tokens]))
        assert best.score == pytest.approx(scores.sum().item())
    tokens, weights = greedy(model, source, return_weights=True)
    assert tokens.tolist() == expected
    assert weights.shape[-2:] == (most, 1)
    assert greedy(model, source, 1).tolist() == [[5]]
