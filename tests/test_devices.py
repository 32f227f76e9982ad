"""Everything follows the input's device: no function makes a tensor where the others are not.

Each public function and class that touches tensors has a case below, which is run on the CPU
and on a pretended second device; both must give the same, and there the result must be on
that device. A new function without a case makes the first test fail. Where there is a GPU the
cases run on it too.
"""

import importlib
import inspect
import pkgutil
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from tests.pretended_device import DEVICE, Elsewhere, pretended_device
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from attention import generate, recurrent, tokens, training, weight_files
from attention.recurrent import RecurrentConfig, new_translator
from attention.tasks import character_model, recall, two_lookups
from attention.training import Batch, Recipe, TrainingRun, make_batch
from attention.transformer import POSITIONS, TransformerConfig, new_transformer

RECURRENT = RecurrentConfig(
    9, 10, d_embedding=3, d_encoder=4, d_decoder=5, d_context=6, d_score=7, dropout=0.1
)
TRANSFORMER = TransformerConfig(
    9, 10, 8, heads=2, d_ff=6, encoder_layers=1, decoder_layers=2, max_length=16
)
CONFIGS = {
    "fixed": RECURRENT,
    "additive": replace(RECURRENT, score="additive"),
    "dot": replace(RECURRENT, score="dot", cell="lstm", reading="backwards"),
    **{position: replace(TRANSFORMER, position=position) for position in POSITIONS},
}
PAIRS = [([3, 8], [4, 9, 5]), ([4], [7]), ([5, 6, 3], [])]
SOURCE = training.pad([source for source, _ in PAIRS])
TARGET = training.pad([target for _, target in PAIRS])
RECALL = recall.RecallConfig(4, 0.5, symbols=6, pairs=3, d_model=8)
LOOKUP = two_lookups.LookupConfig(2, symbols=6, pairs=4, d_model=8, hidden=3)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def numbers(*shape: int) -> Tensor:
    return torch.rand(shape, generator=seeded())


def model(device: torch.device, name: str = "additive") -> nn.Module:
    make = new_transformer if isinstance(CONFIGS[name], TransformerConfig) else new_translator
    return make(CONFIGS[name], 0).eval().to(device)


def every_model(call, names=tuple(CONFIGS)):
    """Call with each kind of translator and a source, all on one device."""

    def case(device: torch.device) -> list:
        return [call(model(device, name), SOURCE.to(device)) for name in names]

    return case


def every_state(call):
    """Call with one model for each kind of state between two steps (`greedy` takes all models)."""
    return every_model(call, ("additive", "dot", "rotary"))


def with_numbers(call, *shapes: tuple[int, ...]):
    """Call with random numbers of these shapes, on one device."""

    def case(device: torch.device) -> object:
        return call(*(numbers(*shape).to(device) for shape in shapes))

    return case


def beams(device: torch.device) -> tuple:
    start = generate.new_beams(2, 3, 0.5, device)
    begun, parents = start.grow(numbers(2, 3, 8).double().log().to(device))
    found = [[], []]
    begun.collect(begun.going_on | begun.just_ended, found)
    return vars(begun), parents, begun.hopes(9), begun.lengths, found


def a_run(device: torch.device, dropout: float = 0.0) -> TrainingRun:
    translator = new_translator(replace(CONFIGS["additive"], dropout=dropout), 0).to(device)
    return TrainingRun(translator, [make_batch(PAIRS)] * 9, Recipe(0.1))


def trained(device: torch.device) -> tuple:
    run = a_run(device)
    run.advance(2)
    return [entry.loss for entry in run.log], list(run.model.parameters())


def minimised(device: torch.device) -> tuple:
    weight = nn.Parameter(numbers(3).to(device))
    losses = training.minimise(lambda: weight.square().sum(), [weight], 0.1, 2)
    return losses, weight


def updated(device: torch.device) -> tuple:
    weight = nn.Parameter(numbers(3).to(device))
    optimizer = torch.optim.SGD([weight], 0.1)
    return training.update(optimizer, weight.square().sum(), clip=0.1), weight


def switched(device: torch.device) -> tuple:
    one = model(device)
    with training.evaluating(one):
        return one(SOURCE.to(device), TARGET.to(device))


def counted(device: torch.device) -> list:
    one = model(device)
    return [training.device_of(one) == device, training.device_of(nn.ReLU()).type]


def recalled(device: torch.device) -> tuple[recall.RecallModel, recall.RecallBatch]:
    batch = recall.recall_batch(RECALL, 5, seeded()).to(device)
    return recall.RecallModel(RECALL, seeded()).to(device), batch


def looked_up(device: torch.device) -> tuple[two_lookups.LookupModel, two_lookups.LookupBatch]:
    batch = two_lookups.lookup_batch(LOOKUP, 5, seeded()).to(device)
    return two_lookups.LookupModel(LOOKUP, seeded()).to(device), batch


def characters(device: torch.device, causal: bool = True) -> character_model.CharacterModel:
    return character_model.new_model(0, causal).to(device)


TEXT = character_model.encode("to be or not to be, that is the question " * 3)


def windows(device: torch.device) -> tuple[Tensor, Tensor]:
    return character_model.windows(TEXT.to(device), torch.tensor([0, 3]).to(device))


def without_a_head(device: torch.device) -> Tensor:
    with character_model.without_heads(characters(device), [(0, 1)]) as model:
        return model(windows(device)[0])


CASES = {
    generate.RecurrentStepper: lambda device: generate.RecurrentStepper(model(device)).start(
        SOURCE.to(device)
    ),
    generate.TransformerStepper: lambda device: generate.TransformerStepper(
        model(device, "rotary")
    ).start(SOURCE.to(device)),
    generate.pick: lambda device: generate.pick(
        (SOURCE.to(device), None), torch.tensor([1, 1]).to(device)
    ),
    generate.log_probabilities: with_numbers(generate.log_probabilities, (2, 5)),
    generate.write: every_state(
        lambda model, source: generate.write(model, source, lambda log_p: log_p.argmax(1), 5)
    ),
    generate.greedy: every_model(lambda model, source: generate.greedy(model, source, 5)),
    generate.forced_scores: every_model(
        lambda model, source: generate.forced_scores(model, source, TARGET.to(source.device))
    ),
    generate.sample: every_state(
        lambda model, source: generate.sample(model, source, seeded(), 2.0, 5, 0.9, 5)
    ),
    generate.truncate: with_numbers(lambda log_p: generate.truncate(log_p, 3, 0.8), (2, 5)),
    generate.draw: with_numbers(generate.draw, (2, 5), (2,)),
    generate.beam: every_state(
        lambda model, source: generate.beam(model, source, 3, 0.5, 5, return_scores=True)
    ),
    generate.n_best: every_state(lambda model, source: generate.n_best(model, source, 2, 3, 0, 5)),
    generate.Beams: beams,
    generate.new_beams: lambda device: vars(generate.new_beams(2, 3, 0.5, device)),
    training.Batch: lambda device: vars(Batch(SOURCE, TARGET).to(device)),
    training.pad: lambda device: training.pad([[3, 4], []], device),
    training.unpad: lambda device: training.unpad(SOURCE.to(device)),
    training.make_batch: lambda device: vars(make_batch(PAIRS, device)),
    training.check_numbers: lambda device: training.check_numbers("x", SOURCE.to(device), 9),
    training.check_tokens: lambda device: training.check_tokens("x", SOURCE.to(device), 9),
    training.device_of: counted,
    training.token_loss: lambda device: training.token_loss(
        numbers(3, 4, 10).to(device), TARGET.to(device), 0.1
    ),
    training.update: updated,
    training.minimise: minimised,
    training.translation_loss: lambda device: training.translation_loss(
        model(device), make_batch(PAIRS, device), Recipe(0.1)
    ),
    training.TrainingRun: trained,
    training.evaluating: switched,
    training.right_tokens: lambda device: training.right_tokens(model(device), PAIRS),
    training.decode_all: lambda device: training.decode_all(
        lambda source: source, [source for source, _ in PAIRS], 2, device
    ),
    training.strongest_links: with_numbers(
        lambda weights: training.strongest_links(weights, 3, 2), (3, 4)
    ),
    recurrent.gru_step: with_numbers(
        recurrent.gru_step, (2, 3), (2, 4), (12, 3), (12, 4), (12,), (12,)
    ),
    recurrent.additive_scores: with_numbers(recurrent.additive_scores, (2, 3), (2, 4, 3), (3,)),
    recurrent.dot_scores: with_numbers(recurrent.dot_scores, (2, 3), (2, 4, 3)),
    recurrent.LookBack: lambda device: model(device).look_back(
        numbers(3, 5).to(device),
        numbers(3, 4, 7).to(device),
        numbers(3, 4, 8).to(device),
        SOURCE.to(device) != 0,
    ),
    recurrent.Memory: lambda device: vars(model(device).encode(SOURCE.to(device))[0]),
    recurrent.Translator: every_model(
        lambda model, source: (
            model(source, TARGET.to(source.device), return_weights=True)
            if getattr(model.config, "score", None)
            else model(source, TARGET.to(source.device))
        )
    ),
    recurrent.flip: lambda device: recurrent.flip(
        numbers(2, 4, 3).to(device), torch.tensor([2, 4]).to(device)
    ),
    recurrent.gradient_reach: lambda device: recurrent.gradient_reach(
        new_translator(CONFIGS["additive"], 0).readers["forwards"].to(device),
        numbers(2, 5, 3).to(device),
    ),
    recall.RecallBatch: lambda device: vars(recalled(device)[1]),
    recall.RecallModel: lambda device: recalled(device)[0](recalled(device)[1]),
    recall.probe: lambda device: recall.probe(recalled(device)[0], batch=8),
    two_lookups.LookupBatch: lambda device: vars(looked_up(device)[1]),
    two_lookups.LookupModel: lambda device: looked_up(device)[0](looked_up(device)[1]),
    two_lookups.answer_loss: lambda device: two_lookups.answer_loss(*looked_up(device)),
    two_lookups.probe: lambda device: two_lookups.probe(looked_up(device)[0], batch=8),
    two_lookups.score_ranks: lambda device: two_lookups.score_ranks(looked_up(device)[0]),
    character_model.decode: lambda device: character_model.decode(TEXT.to(device)),
    character_model.windows: windows,
    character_model.batches: lambda device: next(
        character_model.batches(TEXT.to(device), 3, seeded())
    ),
    character_model.Block: lambda device: characters(device).blocks[0](
        numbers(2, 3, 64).to(device), None
    ),
    character_model.CharacterModel: lambda device: [
        characters(device, causal)(windows(device)[0]) for causal in (True, False)
    ],
    character_model.held_out_loss: lambda device: character_model.held_out_loss(
        characters(device), *windows(device)
    ),
    character_model.honest_losses: lambda device: character_model.honest_losses(
        characters(device), *windows(device)
    ),
    character_model.honest_loss: lambda device: character_model.honest_loss(
        characters(device), *windows(device)
    ),
    character_model.changes_with_the_future: lambda device: character_model.changes_with_the_future(
        characters(device, False), 5
    ),
    character_model.generate: lambda device: character_model.generate(
        characters(device), "to be", 4, seeded()
    ),
    character_model.attention_weights: lambda device: character_model.attention_weights(
        characters(device), windows(device)[0]
    ),
    character_model.without_heads: without_a_head,
    character_model.head_measures: lambda device: character_model.head_measures(
        character_model.attention_weights(characters(device), windows(device)[0]),
        windows(device)[0],
    ),
}

# What makes models or data from seeds, as always on the CPU, to be moved by who wants to ...
MADE_ON_THE_CPU = {
    training.BatchesByLength,  # TrainingRun moves each batch
    recurrent.new_translator,
    recurrent.load,
    recall.recall_batch,  # where its generator is
    recall.train,
    two_lookups.lookup_batch,
    two_lookups.train,
    character_model.encode,
    character_model.held_out_windows,
    character_model.new_model,
    character_model.load,
    character_model.train,
}
# ... what reads or writes files (tested below, with a run), and what has no tensor in it.
FILES = {
    weight_files.digest,
    weight_files.require_same_make,
    weight_files.with_prefix,
    training.write_tensors,
    training.read_tensors,
    training.save_weights,
    training.load_weights,
    recurrent.save,
}
NO_TENSORS = {
    generate.Stepper,
    generate.stepper_for,
    generate.finest,
    generate.Hypothesis,
    generate.length_penalty,
    generate.best_first,
    training.Recipe,
    training.LogEntry,
    training.steps_within,
    training.exact_matches,
    training.means_by_length,
    training.bleu,
    training.alignment_error_rate,
    training.diagonal_links,
    training.uniform_error_rate,
    recurrent.RecurrentConfig,
    recurrent.parameters_of,
    recurrent.width_for,
    recall.RecallConfig,
    recall.steps_to,
    two_lookups.LookupConfig,
    character_model.words_known,
    character_model.perplexity,
}
MODULES = (
    generate,
    training,
    recurrent,
    recall,
    two_lookups,
    character_model,
    tokens,
    weight_files,
)
# Their functions are tried by tests of their own.
OTHERS = {
    *(
        "attribution",
        "interventions",
        "keys_and_values",
        "kv_cache",
        "layers",
        "norms",
        "positions",
    ),
    *("pretrained", "transformer"),
}


def name(thing: object) -> str:
    return f"{thing.__module__.removeprefix('attention.')}.{thing.__qualname__}"


def is_in(module: str, other: str) -> bool:
    """Tell whether a module is another one, or a part of it."""
    return f"{module}.".startswith(f"{other}.")


def public(module) -> set:
    """List the functions and classes that a module, or a folder of them, has for others."""
    return {
        thing
        for key, thing in vars(module).items()
        if not key.startswith("_")
        and (inspect.isfunction(thing) or inspect.isclass(thing))
        and is_in(thing.__module__, module.__name__)
    }


def test_every_public_function_has_a_case():
    there = set().union(*map(public, MODULES))
    known = CASES.keys() | MADE_ON_THE_CPU | FILES | NO_TENSORS
    protocols = {thing for thing in there if getattr(thing, "_is_protocol", False)}
    assert not {name(thing) for thing in there - known - protocols}, "without a case"
    assert not {name(thing) for thing in known - there}, "no longer there"


def test_every_module_with_torch_is_among_them():
    import attention

    names = [module.name for module in pkgutil.walk_packages(attention.__path__, "attention.")]
    with_torch = {
        name
        for name in names
        if not name.startswith("attention._")
        and getattr(importlib.import_module(name), "torch", None) is torch
    }
    known = {module.__name__ for module in MODULES} | {f"attention.{name}" for name in OTHERS}
    for name in with_torch:
        assert any(is_in(name, other) for other in known), name
    for other in known:
        assert any(is_in(name, other) for name in with_torch), other


def check_same(here: object, there: object, device: torch.device) -> None:
    """Assert that two results are alike, and the second one's tensors on the device."""
    ours, theirs = tree_leaves(here), tree_leaves(there)
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        if isinstance(one, Tensor):
            assert other.device.type == device.type
            other = other.detach().cpu()
            torch.testing.assert_close(other, one.detach(), atol=1e-5, rtol=1e-4)
        else:
            assert other == pytest.approx(one, rel=1e-4) if isinstance(one, float) else other == one


@pytest.fixture
def second_device(monkeypatch):
    """A pretended device, with a state of random numbers of its own."""
    state = SimpleNamespace(now="before")
    random_numbers = SimpleNamespace(
        get_rng_state=lambda device: state.now,
        set_rng_state=lambda new, device: setattr(state, "now", new),
    )
    monkeypatch.setattr(torch, "get_device_module", lambda device: random_numbers)
    with pretended_device() as device:
        yield device


@pytest.mark.parametrize("thing", CASES, ids=name)
def test_it_works_on_another_device(thing, second_device):
    check_same(CASES[thing](torch.device("cpu")), CASES[thing](second_device), second_device)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("thing", CASES, ids=name)
def test_it_works_on_a_gpu(thing):
    device = torch.device("cuda", 0)
    check_same(CASES[thing](torch.device("cpu")), CASES[thing](device), device)


def test_the_pretended_device_tells_what_a_gpu_would(second_device):
    here, there = torch.ones(2), torch.ones(2, device=second_device)
    assert isinstance(there, Elsewhere)
    assert there.device == DEVICE != here.device
    for mixture in (
        lambda: here + there,
        lambda: torch.cat([there, here]),
        lambda: there.where(here > 0, 0.0),
        lambda: here[there.long()],
        lambda: nn.functional.embedding(there.long(), torch.ones(3, 2)),
        lambda: there.index_fill(0, torch.tensor([0]), 1.0),
    ):
        with pytest.raises(RuntimeError, match="same device"):
            mixture()
    for wrong in (
        lambda: torch.rand(2, generator=seeded(), device=second_device),
        lambda: torch.multinomial(there, 1, generator=seeded()),
    ):
        with pytest.raises(RuntimeError, match="generator"):
            wrong()
    there += torch.ones_like(there) + torch.tensor(1.0)  # a single number may come along
    assert there[torch.tensor([1])].tolist() == [3.0]
    assert there.cpu().tolist() == [3.0, 3.0]
    assert there.cpu().device == here.device


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_source_elsewhere_is_refused_before_anything_is_written(kind, second_device):
    for one, source in (
        (model(second_device, kind), SOURCE),
        (model(torch.device("cpu"), kind), SOURCE.to(second_device)),
    ):
        for decode in (
            generate.greedy,
            generate.beam,
            generate.forced_scores,
            lambda model, source, _: generate.sample(model, source, seeded()),
        ):
            arguments = (
                (one, source)
                if decode in (generate.greedy, generate.beam)
                else (
                    one,
                    source,
                    TARGET,
                )
            )
            with pytest.raises(ValueError, match=r"^source: expected tokens on .*, got '"):
                decode(*arguments)


@pytest.mark.arithmetic
def test_a_run_elsewhere_resumes_and_disturbs_nothing(second_device, tmp_path):
    """With dropout: twice two steps with a file in between are four, whatever else is drawn."""
    straight, broken = a_run(second_device, 0.5), a_run(second_device, 0.5)
    before = torch.get_rng_state()
    straight.advance(4)
    assert torch.equal(torch.get_rng_state(), before)
    broken.advance(2)
    broken.save(tmp_path / "run")
    torch.rand(3)
    resumed = a_run(second_device, 0.5)
    resumed.resume(tmp_path / "run")
    resumed.advance(2)
    assert [entry.loss for entry in resumed.log] == [entry.loss for entry in straight.log]
    check_same(
        [weight.detach().cpu() for weight in straight.model.parameters()],
        list(resumed.model.parameters()),
        second_device,
    )
    losses = [entry.loss for entry in straight.log]
    assert len(set(losses)) == 4


def test_the_state_of_the_devices_random_numbers_is_put_back(monkeypatch, second_device):
    states = []
    module = SimpleNamespace(
        get_rng_state=lambda device: "before",
        set_rng_state=lambda state, device: states.append((state, device)),
    )
    monkeypatch.setattr(torch, "get_device_module", lambda device: module)
    a_run(second_device).advance(1)
    assert states == [("before", DEVICE)]


def test_weights_from_elsewhere_make_the_same_file(second_device, tmp_path):
    here, there = model(torch.device("cpu")), model(second_device)
    for path, one in (("here", here), ("there", there)):
        recurrent.save(tmp_path / path, one)
    assert (tmp_path / "here").read_bytes() == (tmp_path / "there").read_bytes()
    training.load_weights(tmp_path / "here", there)
    assert training.device_of(there) == second_device
