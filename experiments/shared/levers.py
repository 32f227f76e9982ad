"""What can be changed of the present recipe: one lever at a time, or several."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

import torch
from torch import nn

from attention.training import BatchesByLength, Pair, Recipe, TrainingRun
from attention.transformer import Transformer, new_transformer
from shared import translators
from shared.muon import Muon
from shared.ready_batches import BatchesByTokens, ReadyBatches
from shared.variants import change


@dataclass(frozen=True)
class Lever:
    """What differs from the arm "large" of `translation.py`.

    Attributes
    ----------
    recipe : dict
        Of its recipe.
    model : dict
        Of its config.
    variant : dict or None
        For ``change``; None: the model is computed as in the book.
    fused : bool
        Adam moves all parameters in one call.
    ready : bool
        Batches are padded beforehand.
    pairs, tokens : int
        In a batch: so many pairs, or if ``tokens`` is not 0, so many of these.
    muon : bool
        Muon for the hidden matrices.
    average : float
        Test a running average of the weights, which keeps this share of itself at each
        update; 0: test the weights.
    cost : float
        How long an update takes, computed fast, if that of the present recipe takes 1. It
        is a round number, so that runs are counted in updates; the log of the speed says
        what it is.
    """

    recipe: dict = field(default_factory=dict)
    model: dict = field(default_factory=dict)
    variant: dict | None = None
    fused: bool = False
    ready: bool = False
    pairs: int = translators.BATCH
    tokens: int = 0
    muon: bool = False
    average: float = 0.0
    cost: float = 1.0

    def __or__(self, other: "Lever") -> "Lever":
        """Pull both."""
        both = {}
        for name, value in vars(other).items():
            mine = getattr(self, name)
            if name == "cost":
                both[name] = mine * value
            elif isinstance(value, dict) and isinstance(mine, dict):
                both[name] = mine | value
            else:
                both[name] = mine if value == getattr(PRESENT, name) else value
        return replace(self, **both)


PRESENT = Lever()
READY, FUSED, PACKED = Lever(ready=True), Lever(fused=True), Lever(variant={})


def pulled(*levers: Lever) -> Lever:
    """Pull several."""
    return reduce(Lever.__or__, levers, PRESENT)


# The same mathematics, in fewer calls.
FAST = pulled(READY, FUSED, PACKED)
LEVERS = {
    "present": PRESENT,
    "to 0": Lever(recipe=dict(schedule="linear")),
    "average": Lever(average=0.998),
    "32 pairs": Lever(pairs=32, cost=0.53),
    "by tokens": Lever(tokens=1900),
    "Muon": Lever(muon=True, cost=1.2),
    "QK-norm": Lever(variant=dict(qk_norm=True), cost=1.15),
    "RMSNorm": Lever(variant=dict(rms_norm=True)),
    "rotary": Lever(model=dict(position="none"), variant=dict(rotary=True)),
    "rotary and sines": Lever(variant=dict(rotary=True)),
    "untied": Lever(model=dict(tie_logits=False)),
    "widths of 8": Lever(model=dict(heads=5, d_ff=256)),
}


def hidden_matrices(model: Transformer) -> list[nn.Parameter]:
    """Give what multiplies the stream inside the layers: no embeddings, gains or biases."""
    stacks = (model.encoder, model.decoder)
    return [p for stack in stacks for p in stack.parameters() if p.ndim == 2]


class LeverRun(TrainingRun):
    """A training run with levers pulled.

    Parameters
    ----------
    lever : Lever
    pairs : sequence of Pair
    recipe : Recipe
    seed : int
        Of weights and batches.
    """

    def __init__(self, lever: Lever, pairs: Sequence[Pair], recipe: Recipe, seed: int):
        config = replace(translators.transformer_config(translators.LARGE), **lever.model)
        model = new_transformer(config, seed)
        if lever.variant is not None:
            with torch.random.fork_rng(devices=[]):
                model = change(model, **lever.variant)
        if lever.tokens:
            data: BatchesByLength = BatchesByTokens(pairs, lever.tokens, seed)
        else:
            data = (ReadyBatches if lever.ready else BatchesByLength)(pairs, lever.pairs, seed)
        super().__init__(model, data, recipe)
        rates = recipe.learning_rate, recipe.betas
        if lever.muon:
            matrices = hidden_matrices(model)
            chosen = set(matrices)
            others = [p for p in model.parameters() if p not in chosen]
            self.optimizer = Muon(matrices, others, *rates)
        elif lever.fused:
            self.optimizer = torch.optim.Adam(model.parameters(), *rates, fused=True)
        self.average = lever.average
        if lever.average:
            self.optimizer.register_step_post_hook(self._average)

    @torch.no_grad()
    def _average(self, *_: object) -> None:
        parameters = list(self.model.parameters())
        states = [self.optimizer.state[parameter] for parameter in parameters]
        for parameter, state in zip(parameters, states, strict=True):
            state.setdefault("average", parameter.detach().clone())
        torch._foreach_lerp_([s["average"] for s in states], parameters, 1 - self.average)

    def tested_model(self) -> Transformer:
        """Give the model that is to be tested."""
        if not self.average:
            return self.model
        model = copy.deepcopy(self.model)
        with torch.no_grad():
            for mine, parameter in zip(model.parameters(), self.model.parameters(), strict=True):
                mine.copy_(self.optimizer.state[parameter]["average"])
        return model
