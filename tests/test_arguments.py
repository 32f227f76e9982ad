"""What holds for the arguments of all modules: numbers, lists of sequences, wrapped models.

Each kind is a table over public functions: what takes a number takes NumPy's and torch's,
what takes a list refuses a text, what takes a model takes a wrapped one. Functions are called
as a reader meets them, without enforced shapes.
"""

import os
import re
import subprocess
import sys
from dataclasses import asdict, fields

import numpy as np
import pytest
import torch
from tests.conftest import ROOT, load_without_shape_checks
from torch import nn
from torch.optim.swa_utils import AveragedModel

from attention import corpus
from attention._arguments import (
    as_integer,
    as_real,
    check_no_text,
    nonnegative_integer,
    nonnegative_number,
    positive_integer,
    positive_number,
    share,
    unwrapped,
)
from attention.recurrent import RecurrentConfig, new_translator
from attention.training import Batch, pad
from attention.transformer import TransformerConfig, new_transformer

generate = load_without_shape_checks("generate")
training = load_without_shape_checks("training", "tokens", "weight_files")
recurrent = load_without_shape_checks("recurrent")
recall = load_without_shape_checks("tasks/recall")
two_lookups = load_without_shape_checks("tasks/two_lookups")
character_model = load_without_shape_checks("tasks/character_model")
hand = load_without_shape_checks("by_hand")
tiles = load_without_shape_checks("tiled")
calendar = load_without_shape_checks("tasks/dates")
drawing = load_without_shape_checks("corpus/drawing")
vocabulary = load_without_shape_checks("corpus/vocabulary")

# ------------------------------------------------------------------ one number

INTEGERS = [np.int64, np.uint8, np.array, torch.tensor, lambda n: torch.tensor(n, dtype=torch.int8)]
REALS = [
    np.float64,
    np.float32,
    np.float16,
    np.array,
    torch.tensor,
    lambda x: torch.tensor(x, dtype=torch.bfloat16),
]
NO_INTEGERS = [True, np.True_, torch.tensor(True), 2.0, np.float32(2), "2", None, 2j]
NO_INTEGERS += [np.array([2]), torch.tensor([2]), torch.tensor(2.0)]
NO_REALS = [True, np.True_, torch.tensor(True), "0.5", None, 2j, np.array([0.5])]
NO_REALS += [float("nan"), float("inf"), np.float32("nan"), torch.tensor(-torch.inf), 10**400]
NO_REALS += [torch.tensor([0.5])]


@pytest.mark.parametrize("make", INTEGERS)
def test_an_integer_may_be_anybodys(make):
    number = as_integer("count", make(3))
    assert number == 3
    assert type(number) is int
    assert as_real("count", make(3)) == 3.0


@pytest.mark.parametrize("make", REALS)
def test_a_real_number_may_be_anybodys(make):
    number = as_real("rate", make(0.5))
    assert number == 0.5
    assert type(number) is float


@pytest.mark.parametrize("wrong", NO_INTEGERS, ids=repr)
def test_what_is_no_integer(wrong):
    message = f"count: expected an integer, got {wrong!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        as_integer("count", wrong)


@pytest.mark.parametrize("wrong", NO_REALS, ids=lambda wrong: repr(wrong)[:20])
def test_what_is_no_number(wrong):
    with pytest.raises(ValueError, match=r"^rate: expected a finite number, got "):
        as_real("rate", wrong)


def test_a_number_out_of_range_is_named_as_it_came():
    with pytest.raises(ValueError, match=r"^n: expected 1 or 2, got np.int64\(3\)$"):
        as_integer("n", np.int64(3), "1 or 2", lambda n: n in (1, 2))
    with pytest.raises(ValueError, match=r"^p: expected below 1, got tensor\(1.\)$"):
        as_real("p", torch.tensor(1.0), "below 1", lambda p: p < 1)


# What takes a number of one kind, what else it is asked for, what it takes and what not.
KINDS = [
    (positive_integer, "a positive integer", [1, 7], [0, -1, 1.5]),
    (nonnegative_integer, "0 or more", [0, 7], [-1, 0.5]),
    (positive_number, "a positive number", [0.5, 2], [0, -0.5]),
    (nonnegative_number, "a number, 0 or more", [0, 0.5, 2], [-0.5]),
    (share, "a number from 0 to below 1", [0, 0.5], [1, -0.5]),
]


@pytest.mark.parametrize(("take", "expected", "right", "wrong"), KINDS)
def test_numbers_of_a_kind(take, expected, right, wrong):
    kind = int if "integer" in take.__name__ else float
    for number in right:
        assert take("n", np.array(number)) == number
        assert type(take("n", torch.tensor(number))) is kind
    for number in wrong:
        message = f"n: expected {expected}, got {number!r}"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            take("n", number)
    with pytest.raises(ValueError, match=r"^n: expected .*, got True$"):
        take("n", True)


def test_what_is_asked_for_may_be_said_otherwise():
    for take in (positive_integer, nonnegative_integer, positive_number, nonnegative_number):
        with pytest.raises(ValueError, match=r"^steps: expected some of them, got -1$"):
            take("steps", -1, "some of them")


# --------------------------------------------- every function that takes a number


CONFIG = RecurrentConfig(9, 10, "additive", d_embedding=3, d_encoder=4, d_decoder=5, d_score=7)
TRANSFORMER = TransformerConfig(9, 10, 8, heads=2, d_ff=6, encoder_layers=1, decoder_layers=1)
TRANSLATOR = new_translator(CONFIG, 0).eval()
SOURCE = pad([[3, 8], [4], [5, 6, 3]])
PAIRS = [([3, 8], [4, 9, 5]), ([4], [7]), ([5, 6, 3], [])]
QUERY = np.arange(24.0).reshape(2, 3, 4) / 9


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def losses(model, recipe) -> list[float]:
    run = training.TrainingRun(model, [training.make_batch(PAIRS)] * 3, recipe)
    run.advance(2)
    return [entry.loss for entry in run.log]


def sample(**changed) -> torch.Tensor:
    return generate.sample(
        TRANSLATOR, SOURCE, seeded(), **{"temperature": 2.0, "top_k": 5, "max_length": 4} | changed
    )


def config_of(kind, **changed) -> dict:
    config = kind(**changed)
    assert all(type(getattr(config, name)) in (int, float) for name in changed), "Python's own"
    return asdict(config)


RECALL = {"d_k": 4, "scale": 0.5, "symbols": 6, "pairs": 3, "d_model": 8}
LOOKUP = {"heads": 2, "symbols": 6, "pairs": 4, "d_model": 8}


def of_recall(**changed) -> dict:
    return recall.probe(recall.RecallModel(recall.RecallConfig(**RECALL), seeded()), **changed)


def of_lookup(**changed) -> dict:
    model = two_lookups.LookupModel(two_lookups.LookupConfig(**LOOKUP), seeded())
    return two_lookups.probe(model, **changed)


def drawn(pairs) -> list:
    return [(pair.english, pair.french) for pair in pairs]


# A function of one integer; an integer that it takes.
TAKE_INTEGERS = {
    "generate.greedy max_length": (lambda n: generate.greedy(TRANSLATOR, SOURCE, n), 3),
    "generate.write max_length": (
        lambda n: generate.write(TRANSLATOR, SOURCE, lambda log_p: log_p.argmax(1), n),
        3,
    ),
    "generate.beam width": (lambda n: generate.beam(TRANSLATOR, SOURCE, n, max_length=4), 2),
    "generate.beam max_length": (lambda n: generate.beam(TRANSLATOR, SOURCE, 2, max_length=n), 3),
    "generate.n_best n": (lambda n: generate.n_best(TRANSLATOR, SOURCE, n, 3, max_length=4), 2),
    "generate.sample top_k": (lambda n: sample(top_k=n), 2),
    "generate.sample max_length": (lambda n: sample(max_length=n), 3),
    "generate.truncate top_k": (lambda n: generate.truncate(torch.eye(3), n, 1.0), 2),
    "training.check_positive": (lambda n: training.check_positive("n", n), 3),
    "training.BatchesByLength size": (
        lambda n: vars(training.BatchesByLength(PAIRS, n, 0)[0]),
        2,
    ),
    "training.BatchesByLength seed": (
        lambda n: vars(training.BatchesByLength(PAIRS, 2, n)[0]),
        2,
    ),
    "training.BatchesByLength step": (
        lambda n: vars(training.BatchesByLength(PAIRS, 2, 0)[n]),
        2,
    ),
    "training.minimise steps": (
        lambda n: training.minimise(lambda: WEIGHT.sum() * 0, [WEIGHT], 0.1, n),
        2,
    ),
    "training.Recipe warm_up": (
        lambda n: config_of(training.Recipe, learning_rate=0.1, warm_up=n),
        2,
    ),
    "training.Recipe steps": (lambda n: config_of(training.Recipe, learning_rate=0.1, steps=n), 2),
    "training.Recipe seed": (lambda n: config_of(training.Recipe, learning_rate=0.1, seed=n), 2),
    "training.Recipe.rate": (lambda n: training.Recipe(0.1, "inverse root").rate(n), 2),
    "training.TrainingRun.advance": (
        lambda n: training.TrainingRun(
            new_translator(CONFIG, 0), [training.make_batch(PAIRS)] * 3, training.Recipe(0.1)
        ).advance(n),
        2,
    ),
    "training.right_tokens size": (lambda n: training.right_tokens(TRANSLATOR, PAIRS, n), 2),
    "training.decode_all size": (
        lambda n: training.decode_all(lambda source: source, [[3], [4, 5]], n),
        2,
    ),
    "training.strongest_links source_length": (
        lambda n: training.strongest_links(torch.eye(3), n, 2),
        2,
    ),
    "training.strongest_links target_length": (
        lambda n: training.strongest_links(torch.eye(3), 2, n),
        2,
    ),
    "training.diagonal_links source_length": (lambda n: training.diagonal_links(n, 3), 2),
    "training.diagonal_links target_length": (lambda n: training.diagonal_links(3, n), 2),
    "training.uniform_error_rate": (
        lambda n: training.uniform_error_rate([(n, 3)], [{(0, 0)}]),
        2,
    ),
    **{
        f"recurrent.RecurrentConfig {name}": (
            lambda n, name=name: config_of(
                recurrent.RecurrentConfig,
                **{"source_vocab_size": 9, "target_vocab_size": 10, name: n},
            ),
            8,
        )
        for name in (*recurrent.WIDTHS, "source_vocab_size", "target_vocab_size")
    },
    "recurrent.new_translator seed": (
        lambda n: recurrent.new_translator(recurrent.RecurrentConfig(9, 10), n).to_logits.bias,
        2,
    ),
    **{
        f"recall.RecallConfig {name}": (
            lambda n, name=name: config_of(recall.RecallConfig, **RECALL | {name: n}),
            4,
        )
        for name in ("d_k", "symbols", "pairs", "d_model")
    },
    "recall.recall_batch": (
        lambda n: vars(recall.recall_batch(recall.RecallConfig(**RECALL), n, seeded())),
        2,
    ),
    "recall.probe batch": (lambda n: of_recall(batch=n), 9),
    "recall.probe seed": (lambda n: of_recall(seed=n, batch=9), 3),
    "recall.train seed": (
        lambda n: recall.train(recall.RecallConfig(**RECALL), 0.1, n, steps=2, batch=3)[1],
        3,
    ),
    "recall.train batch": (
        lambda n: recall.train(recall.RecallConfig(**RECALL), 0.1, 0, steps=2, batch=n)[1],
        3,
    ),
    "recall.steps_to window": (lambda n: recall.steps_to([1.0, 0.4, 0.4, 0.4], 0.5, n), 2),
    **{
        f"two_lookups.LookupConfig {name}": (
            lambda n, name=name: config_of(two_lookups.LookupConfig, **LOOKUP | {name: n}),
            4,
        )
        for name in ("heads", "asked", "hidden", "symbols", "pairs", "d_model")
    },
    "two_lookups.lookup_batch": (
        lambda n: vars(two_lookups.lookup_batch(two_lookups.LookupConfig(**LOOKUP), n, seeded())),
        2,
    ),
    "two_lookups.probe batch": (lambda n: of_lookup(batch=n), 9),
    "two_lookups.probe seed": (lambda n: of_lookup(seed=n, batch=9), 3),
    "two_lookups.train seed": (
        lambda n: two_lookups.train(two_lookups.LookupConfig(**LOOKUP), 0.1, n, 2, batch=3)[1],
        3,
    ),
    "character_model.new_model": (lambda n: character_model.new_model(n).readout.bias, 3),
    "character_model.windows shift": (
        lambda n: character_model.windows(torch.arange(99), torch.tensor([3]), n),
        2,
    ),
    "character_model.batches": (
        lambda n: next(character_model.batches(torch.arange(99), n, seeded())),
        2,
    ),
    "character_model.generate": (
        lambda n: character_model.generate(character_model.new_model(0), "to be", n, seeded()),
        2,
    ),
    "dates.draw count": (lambda n: [one.text for one in calendar.draw("test", n)], 3),
    "dates.draw seed": (lambda n: [one.text for one in calendar.draw("test", 3, n)], 3),
    "dates.decode": (lambda n: calendar.decode([n, n]), 5),
    "corpus.generate count": (lambda n: drawn(drawing.generate(n)), 2),
    "corpus.generate seed": (lambda n: drawn(drawing.generate(2, seed=n)), 2),
    "corpus.generate lengths": (lambda n: drawn(drawing.generate(2, [n])), 6),
    "corpus.draw_split count": (lambda n: drawn(drawing.draw_split("test", n)), 2),
    "corpus.draw_split seed": (lambda n: drawn(drawing.draw_split("test", 2, n)), 2),
    "by_hand.softmax axis": (lambda n: hand.softmax(QUERY, n), 1),
    "by_hand.causal_mask": (lambda n: hand.causal_mask(n), 3),
    "by_hand.padding_mask": (lambda n: hand.padding_mask(np.array([2, 3]), n), 4),
    "by_hand.split_heads": (lambda n: hand.split_heads(QUERY, n), 2),
    "by_hand.sinusoidal_positions length": (lambda n: hand.sinusoidal_positions(n, 4), 3),
    "by_hand.sinusoidal_positions d_model": (lambda n: hand.sinusoidal_positions(3, n), 4),
    "by_hand.position_angles": (lambda n: hand.position_angles(n, 4), 3),
    "by_hand.alibi_slopes": (lambda n: hand.alibi_slopes(n), 6),
    "by_hand.alibi_bias": (lambda n: hand.alibi_bias(2, n), 3),
    "tiled.empty_summary": (lambda n: vars(tiles.empty_summary(n, 2)), 3),
    "tiled.tiled_attention block": (
        lambda n: tiles.tiled_attention(QUERY, QUERY, QUERY, block=n),
        2,
    ),
    "tiled.count_blocks": (lambda n: tiles.count_blocks(n, 5, "causal", 2), 4),
    "widgets.AttentionExplorer start": (
        lambda n: explorer(n).data(),
        1,
    ),
    "widgets.PositionLab heads": (lambda n: position_lab(n).data(), 4),
    "widgets.PositionLab.scores head": (lambda n: position_lab(4).scores("ALiBi", n), 2),
}
TAKE_TEXT_TOO = {"corpus.generate seed", "corpus.draw_split seed"}
WEIGHT = nn.Parameter(torch.ones(2))


def explorer(start):
    return load_without_shape_checks("widgets/attention_explorer").AttentionExplorer(
        np.eye(3), ["a", "b", "c"], start=start
    )


def position_lab(heads):
    return load_without_shape_checks("widgets/position_lab").PositionLab(
        np.ones(4), np.ones(4), np.ones((16, 4)), heads
    )


# A function of one real number; a number that it takes.
TAKE_REALS = {
    "generate.sample temperature": (lambda x: sample(temperature=x), 0.5),
    "generate.sample top_p": (lambda x: sample(top_p=x), 0.5),
    "generate.truncate top_p": (lambda x: generate.truncate(torch.eye(3), None, x), 0.5),
    "generate.beam alpha": (
        lambda x: generate.beam(TRANSLATOR, SOURCE, 3, x, 4, return_scores=True),
        0.5,
    ),
    "training.token_loss label_smoothing": (
        lambda x: training.token_loss(torch.eye(3)[None], torch.tensor([[1, 2, 0]]), x),
        0.5,
    ),
    "training.minimise learning_rate": (
        lambda x: training.minimise(lambda: WEIGHT.sum() * 0, [WEIGHT], x, 2),
        0.5,
    ),
    **{
        f"training.Recipe {name}": (
            lambda x, name=name: losses(
                new_translator(CONFIG, 0), training.Recipe(**{"learning_rate": 0.5, name: x})
            ),
            0.5,
        )
        for name in ("learning_rate", "clip", "label_smoothing")
    },
    "training.Recipe betas": (
        lambda x: asdict(training.Recipe(0.5, betas=(x, x))),
        0.5,
    ),
    "recurrent.RecurrentConfig dropout": (
        lambda x: config_of(
            recurrent.RecurrentConfig, source_vocab_size=9, target_vocab_size=9, dropout=x
        ),
        0.5,
    ),
    **{
        f"recall.RecallConfig {name}": (
            lambda x, name=name: config_of(recall.RecallConfig, **RECALL | {name: x}),
            0.5,
        )
        for name in ("scale", "init_std", "query_factor")
    },
    "recall.steps_to threshold": (lambda x: recall.steps_to([1.0, 0.4, 0.4], x, 2), 0.5),
    "two_lookups.probe noise": (lambda x: of_lookup(noise=x, batch=9), 0.5),
    "by_hand.scaled_dot_product_attention scale": (
        lambda x: hand.scaled_dot_product_attention(QUERY, QUERY, QUERY, scale=x),
        0.5,
    ),
    "by_hand.position_angles base": (lambda x: hand.position_angles(3, 4, x), 0.5),
    "tiled.tiled_attention scale": (
        lambda x: tiles.tiled_attention(QUERY, QUERY, QUERY, scale=x),
        0.5,
    ),
}


def check_equal(one: object, other: object) -> None:
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        one, other = list(one.values()), list(other.values())
    if isinstance(one, list | tuple):
        assert len(one) == len(other)
        for ours, theirs in zip(one, other, strict=True):
            check_equal(ours, theirs)
    elif isinstance(one, torch.Tensor | np.ndarray):
        assert one.dtype == other.dtype
        assert (one == other).all()
    else:
        assert one == other


@pytest.mark.parametrize("name", TAKE_INTEGERS)
def test_every_function_takes_anybodys_integers(name):
    call, number = TAKE_INTEGERS[name]
    expected = call(number)
    for make in INTEGERS:
        check_equal(call(make(number)), expected)
    no_numbers = (True, number + 0.5, np.float32(number), str(number), [number])
    for wrong in no_numbers:
        if isinstance(wrong, str) and name in TAKE_TEXT_TOO:
            continue
        with pytest.raises(ValueError, match=r"^\w+: expected "):
            call(wrong)


@pytest.mark.parametrize("name", TAKE_REALS)
def test_every_function_takes_anybodys_numbers(name):
    call, number = TAKE_REALS[name]
    expected = call(number)
    for make in REALS:
        check_equal(call(make(number)), expected)
    for wrong in (True, float("nan"), float("inf"), str(number), [number]):
        with pytest.raises(ValueError, match=r"^\w+: expected "):
            call(wrong)


@pytest.mark.parametrize(
    "kind",
    [
        training.Recipe,
        recurrent.RecurrentConfig,
        recall.RecallConfig,
        two_lookups.LookupConfig,
    ],
)
def test_every_number_of_a_config_is_in_the_tables(kind):
    numbers = {field.name for field in fields(kind) if re.search("int|float", str(field.type))}
    module = re.search(r"^attention\.(?:tasks\.)?(\w+)", kind.__module__)[1]
    tables = set(TAKE_INTEGERS | TAKE_REALS)
    assert not {name for name in numbers if f"{module}.{kind.__name__} {name}" not in tables}


# ------------------------------------------------- a text is no list of sequences


def test_a_text_is_refused_and_other_sequences_are_not():
    for text in ("the cat", b"the cat", ""):
        with pytest.raises(ValueError, match=r"^words: expected words, got "):
            check_no_text("words", text, "words")
    for words in (["the cat"], ("the", "cat"), np.array(["the"]), torch.tensor([1]), range(2)):
        check_no_text("words", words, "words")


WRITTEN = "the cat sat on the mat"
ENGLISH = vocabulary.english_vocabulary()
# The argument, and a call with a text in its place.
REFUSE_TEXT = [
    ("sequences", lambda text: training.pad(text)),
    ("sequences", lambda text: training.pad([[3, 4], text])),
    ("pairs", lambda text: training.make_batch(text)),
    ("pairs", lambda text: training.make_batch([text[:2]])),
    ("sequences", lambda text: training.make_batch([(text, text)])),
    ("pairs", lambda text: training.BatchesByLength(text, 2, 0)),
    ("pairs", lambda text: training.right_tokens(TRANSLATOR, text)),
    ("sources", lambda text: training.decode_all(lambda source: source, text)),
    ("sequences", lambda text: training.decode_all(lambda source: source, [text])),
    ("outputs", lambda text: training.exact_matches(text, text)),
    ("targets", lambda text: training.exact_matches([[3]], text[:1])),
    ("outputs", lambda text: training.exact_matches([text], [[3]])),
    ("targets", lambda text: training.exact_matches([[3]], [text])),
    ("outputs", lambda text: training.bleu(text, text)),
    ("references", lambda text: training.bleu([text], text[:1])),
    ("outputs", lambda text: training.bleu([text.split()], [text])),
    ("references", lambda text: training.bleu([text], [text.split()])),
    ("lengths", lambda text: training.means_by_length(text, [1.0] * len(text), [(1, 2)])),
    ("values", lambda text: training.means_by_length([1] * len(text), text, [(1, 2)])),
    ("alignments", lambda text: training.alignment_error_rate(text, [{(0, 0)}] * len(text))),
    ("sure", lambda text: training.alignment_error_rate([{(0, 0)}] * len(text), text)),
    ("possible", lambda text: training.alignment_error_rate([set()], [set()], text[:1])),
    ("alignments", lambda text: training.alignment_error_rate({(0, 0)}, [{(0, 0)}])),
    ("lengths", lambda text: training.uniform_error_rate(text, [set()] * len(text))),
    ("betas", lambda text: training.Recipe(0.1, betas=text[:2])),
    ("source", lambda text: generate.greedy(TRANSLATOR, text)),
    ("source", lambda text: generate.sample(TRANSLATOR, text, seeded())),
    ("source", lambda text: generate.forced_scores(TRANSLATOR, text, SOURCE)),
    ("numbers", lambda text: calendar.decode(text)),
    ("written", lambda text: calendar.pairs(text)),
    ("tokens", lambda text: ENGLISH.encode(text)),
    ("tokens", lambda text: ENGLISH.encode("a")),
    ("numbers", lambda text: ENGLISH.decode(text)),
    ("words", lambda text: vocabulary.Vocabulary("English", text)),
    ("tokens", lambda text: corpus.as_text(text)),
    ("lengths", lambda text: drawing.generate(1, text)),
    ("sizes", lambda text: drawing.splits(text)),
]


@pytest.mark.parametrize(("argument", "call"), REFUSE_TEXT)
def test_a_text_does_not_pass_for_a_list(argument, call):
    with pytest.raises(ValueError, match=rf"^{argument}: expected "):
        call(WRITTEN)


def test_one_sentence_in_a_list_is_welcome():
    assert training.bleu([WRITTEN], [WRITTEN]) == pytest.approx(100.0)
    assert training.exact_matches([[3, 2]], [[3]]) == [True]


@pytest.mark.parametrize("wrong", [5, [[3], 5], [[3], None], [[3.5]], [[[3]]], [[3, "4"]]])
def test_pad_wants_integers(wrong):
    with pytest.raises((ValueError, TypeError), match=r"^sequences: expected|has no len"):
        training.pad(wrong)


# ------------------------------------------------------------------ wrapped models

WRAPPERS = {
    # Compiling the checks of shapes that are on here takes long: see the last test.
    "torch.compile": lambda model: torch.compile(model, disable=True),
    "DataParallel": nn.DataParallel,
    "AveragedModel": AveragedModel,
    "twice": lambda model: nn.DataParallel(torch.compile(model, disable=True)),
}
each_wrapper = pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
MODELS = {"recurrent": TRANSLATOR, "transformer": new_transformer(TRANSFORMER, 0).eval()}
each_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


@each_wrapper
def test_a_wrapper_comes_off(wrap):
    inside = unwrapped(wrap(TRANSLATOR))
    assert type(inside) is type(TRANSLATOR)
    for ours, theirs in zip(inside.parameters(), TRANSLATOR.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_what_is_no_wrapper_stays():
    part = nn.ModuleDict({"module": nn.Linear(1, 1), "other": nn.Linear(1, 1)})
    for model in (TRANSLATOR, part, None, 3, nn.Linear(1, 1)):
        assert unwrapped(model) is model


@each_wrapper
@each_model
def test_wrapped_models_write_as_they_would_without(wrap, model):
    wrapped = wrap(model)
    for decode in (
        lambda model: generate.write(model, SOURCE, lambda log_p: log_p.argmax(1), 5),
        lambda model: generate.greedy(model, SOURCE, 5, return_weights=True),
        lambda model: generate.beam(model, SOURCE, 2, max_length=5, return_scores=True),
        lambda model: generate.n_best(model, SOURCE, 2, 2, max_length=5),
        lambda model: generate.sample(model, SOURCE, seeded(), max_length=5),
        lambda model: generate.forced_scores(model, SOURCE, SOURCE),
        lambda model: training.right_tokens(model, PAIRS),
        lambda model: training.decode_all(
            lambda source: generate.greedy(model, source, 5), [[3, 4], [5]]
        ),
    ):
        check_close(decode(wrapped), decode(model))


def check_close(one: object, other: object) -> None:
    if isinstance(one, torch.Tensor):
        torch.testing.assert_close(one, other)
    else:
        check_equal(list(one), list(other)) if not isinstance(one, tuple) else [
            check_close(*both) for both in zip(one, other, strict=True)
        ]


@each_wrapper
def test_weights_have_the_models_own_names_whatever_it_is_in(wrap, tmp_path):
    training.save_weights(tmp_path / "plain", TRANSLATOR, {})
    training.save_weights(tmp_path / "wrapped", wrap(TRANSLATOR), {})
    assert (tmp_path / "wrapped").read_bytes() == (tmp_path / "plain").read_bytes()
    recurrent.save(tmp_path / "wrapped", wrap(TRANSLATOR))
    other = new_translator(CONFIG, 1)
    training.load_weights(tmp_path / "plain", wrap(other) if wrap is not AveragedModel else other)
    for ours, theirs in zip(other.parameters(), TRANSLATOR.parameters(), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.arithmetic
@pytest.mark.parametrize("name", ["torch.compile", "DataParallel", "twice"])
def test_a_run_with_a_wrapped_model_is_resumed_with_a_plain_one(name, tmp_path):
    def run(model: nn.Module):
        data = [Batch(SOURCE, SOURCE)] * 9
        return training.TrainingRun(model, data, training.Recipe(0.1))

    straight, wrapped = (
        run(new_translator(CONFIG, 0)),
        run(WRAPPERS[name](new_translator(CONFIG, 0))),
    )
    straight.advance(3)
    wrapped.advance(2)
    wrapped.save(tmp_path / "run")
    plain = run(new_translator(CONFIG, 5))
    plain.resume(tmp_path / "run")
    plain.advance(1)
    for ours, theirs in zip(plain.model.parameters(), straight.model.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


COMPILED = """
import torch
from attention import generate, recurrent, training, transformer
from attention.training import Recipe, TrainingRun, make_batch

pairs = [([3, 8], [4, 9, 5]), ([4], [7]), ([5, 6, 3], [])]
batch = make_batch(pairs)
config = transformer.TransformerConfig(9, 10, 8, heads=2, d_ff=6, position="learned")
models = [
    recurrent.new_translator(recurrent.RecurrentConfig(9, 10, "additive"), 0),
    transformer.new_transformer(config, 0),
]
for model in models:
    compiled = torch.compile(model, backend="eager")
    for decode in (generate.greedy, generate.beam):
        ours = decode(compiled, batch.source, max_length=5)
        assert torch.equal(ours, decode(model, batch.source, max_length=5))
    ours = generate.forced_scores(compiled, batch.source, batch.target)
    torch.testing.assert_close(ours, generate.forced_scores(model, batch.source, batch.target))
    ours = training.right_tokens(compiled, pairs)
    assert all(map(torch.equal, ours, training.right_tokens(model, pairs)))
    run = TrainingRun(compiled, [batch] * 2, Recipe(0.1))
    run.advance(2)
    assert model.training and compiled.training
print("as without")
"""


@pytest.mark.slow
def test_a_model_that_is_really_compiled(tmp_path):
    """In a Python of its own, where no shapes are checked."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "code"), "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", COMPILED],
        env=environment,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.stdout == "as without\n", done.stderr
