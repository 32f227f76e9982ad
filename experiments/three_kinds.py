"""Ask which kind can do what: encoder-only, decoder-only, or both.

An experiment of the chapter *BERT, GPT, Llama*. Three kinds of model, with as many parameters
(within 1 %), are trained on the same sentences of the grammar for as many updates: a sentence of
5 to 12 English words alone, and then one with its French, in turns.

    encoder                     fills gaps, as BERT does: 15 % of the words are blanked, in
                                "english" and in "english = french" (all are blanked, where
                                BERT leaves some or puts others into their place)
    encoder, any share of gaps  the same, but of each text another share is blanked, from 0 to
                                1: so it has seen texts with little else than gaps, too
    decoder                     predicts the next token, as GPT does, of "english" and of
                                "english = french"
    encoder-decoder             reads and writes, as T5 does: it reads the English and writes
                                the French, or reads the English with one gap and writes what
                                the gap hides, which may be one word or all up to the end
    encoder, next token         the control: the encoder, with no mask, is given the decoder's
                                task. It sees the answer
    unigram                     the base rate: each word as often as it is in the training, or
                                always the most frequent one

The encoders and the decoder have 4 layers, the encoder-decoder 2 and 2 with narrower
feed-forward layers. So a token of it passes fewer layers, and its updates take less time; the
log says how much. The rate is chosen by an equal search, as in `ladder.py`: three rates, half
of the updates, a seed of its own, and the lowest loss of the kind's own task on the split
"validation". Then come three seeds, measured on the split "test":

    gap_accuracy, gap_loss      one English word is blanked. The decoder reads only what stands
                                before it. Losses are in nats
    tried_accuracy, tried_loss  the decoder again, with the right side: it reads the sentence
                                with each of all words in the gap, and the likeliest wins
    next_accuracy, next_loss    the next word of an English sentence, from its beginning. The
                                encoders have all that follows blanked, so they are told how
                                many words there are; the others are not
    grammatical                 two words are given, and the rest is drawn word by word from what
                                the model says; share that is a sentence of the grammar. The
                                encoders are told the length
    exact_match, right_words    French written word by word, each the likeliest; share of
                                sentences that are right, and of words that stand in their
                                places. The encoders are told the length
    exact_at_once               the same for encoders, with all words written in one reading
    own_loss                    of what the kind is trained to do, held-out

It writes three_kinds.csv, a row for each run and stop.

    .venv/bin/python experiments/three_kinds.py        everything: some 50 minutes of processor
                                                       time, by estimate

The estimate is from the milliseconds of an update, timed while other work was running: 28.2 for
the encoder-decoder, 31.8 to 32.7 for the others. Each is needed 3 × 4,000 times for the runs and
3 × 2,000 times for the trials; drawing sentences and scoring take 4 minutes.

Counted in updates, in float32 on one thread: the same command gives the same numbers, but for
the seconds, on the same kind of processor.
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import torch
from torch import Tensor, nn

import common
from attention import corpus
from attention.tokens import END, Pair
from attention.training import Recipe, TrainingRun, evaluating
from attention.transformer import TransformerConfig, parameters_of
from shared import one_text
from shared.equal_parameters import with_parameters
from shared.kinds import (
    BLANK,
    BOTH,
    DECODER,
    GAP_FILLERS,
    KINDS,
    SameSentences,
    loss_of,
    new_model,
)
from shared.one_text import ENGLISH, FIRST_FRENCH
from shared.questions import (
    FRENCH,
    GAP,
    NEXT,
    Answer,
    LogP,
    Question,
    all_at_once,
    answers,
    every_word_tried,
    write,
)
from shared.rate_search import Search

OUTPUT = Path(__file__).with_suffix(".csv")
UNIGRAM = "unigram"
SEARCH = Search(KINDS, rates=(0.001, 0.003, 0.009), by="own_loss", others=(UNIGRAM,))
SYMBOLS = BLANK + 1
OF_DECODER = TransformerConfig(None, SYMBOLS, d_model=64, heads=4, d_ff=256, decoder_layers=4)
RECIPE = {"schedule": "inverse root", "warm_up": 200, "clip": 1.0}
STOPS, TRIAL_STOPS, QUICK_STOPS = (1000, 2000, 4000), (2000,), (2, 4)
BATCH, PAIRS = 64, 30_000


@dataclass(frozen=True)
class Sizes:
    """On how many sentences each thing is measured."""

    words: int  # gaps, and next words
    tried: int
    written: int  # English sentences that are gone on with, and French ones
    loss: int


SIZES, QUICK_SIZES = Sizes(1000, 200, 300, 500), Sizes(4, 2, 2, 4)


@cache
def config_of(kind: str) -> TransformerConfig:
    """Make the config of a kind; all have as many parameters as the decoder."""
    both = {"source_vocab_size": SYMBOLS}
    if kind == DECODER:
        return OF_DECODER
    if kind != BOTH:
        return replace(OF_DECODER, **both, target_vocab_size=None, encoder_layers=4)
    layers = {"encoder_layers": 2, "decoder_layers": 2, "tie_source": True}
    return with_parameters(replace(OF_DECODER, **both, **layers), parameters_of(OF_DECODER))


# ----------------------------------------------------------------------------- the questions


def gaps(some: Sequence[Pair]) -> tuple[list[Question], Tensor]:
    """Blank one word of each sentence, drawn by chance; return the words, too."""
    places = _places(some, 0)
    questions = [
        Question(GAP, [*english[:place], BLANK, *english[place + 1 :]])
        for (english, _), place in zip(some, places, strict=True)
    ]
    return questions, _words_at(some, places)


def beginnings(some: Sequence[Pair]) -> tuple[list[Question], Tensor]:
    """Cut each sentence after its first word or a later one; return the next words, too."""
    places = _places(some, 1)
    questions = [
        Question(NEXT, english[:place], length=len(english))
        for (english, _), place in zip(some, places, strict=True)
    ]
    return questions, _words_at(some, places)


def _places(some: Sequence[Pair], first: int) -> list[int]:
    generator = torch.Generator().manual_seed(99)
    return [int(torch.randint(first, len(english), (), generator=generator)) for english, _ in some]


def _words_at(some: Sequence[Pair], places: Sequence[int]) -> Tensor:
    return torch.tensor([english[p] for (english, _), p in zip(some, places, strict=True)])


def is_sentence(numbers: Sequence[int]) -> bool:
    """Say whether some numbers are an English sentence of the grammar."""
    if not all(END < number < FIRST_FRENCH for number in numbers):
        return False
    try:
        corpus.translate(ENGLISH.decode(numbers))
    except ValueError:
        return False
    return True


# ------------------------------------------------------------------------- what is measured


def drawing(seed: int) -> Callable[[LogP], Tensor]:
    """Make what draws tokens from log-probabilities, the same ones for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    return lambda log_p: torch.multinomial(log_p.exp(), 1, generator=generator).squeeze(1)


def likeliest(log_p: LogP) -> Tensor:
    """Choose the likeliest token."""
    return log_p.argmax(-1)


def tested(answer: Answer, told_length: bool, some: Sequence[Pair], sizes: Sizes) -> dict:
    """Measure what answers questions, of whatever kind it is."""
    found = {}
    for name, (questions, words) in {"gap": gaps(some), "next": beginnings(some)}.items():
        found |= of_words(name, answer(questions), words)
    few = some[: sizes.written]
    most = max(len(side) for pair in few for side in pair) + 1
    started = [Question(NEXT, english[:2], length=len(english)) for english, _ in few]
    rests = write(answer, started, drawing(99), most, told_length)
    sentences = [[*q.given, *rest] for q, rest in zip(started, rests, strict=True)]
    found["grammatical"] = statistics.mean(map(is_sentence, sentences))
    outputs = write(answer, translations(few), likeliest, most, told_length)
    return found | of_translations(outputs, few)


def translations(some: Sequence[Pair]) -> list[Question]:
    """Ask for the French of each pair."""
    return [Question(FRENCH, english, length=len(french)) for english, french in some]


def of_words(name: str, log_p: LogP, words: Tensor) -> dict[str, float]:
    """Say how many words are the likeliest, and what loss they have."""
    right = (log_p.argmax(-1) == words).double().mean().item()
    loss = -log_p.gather(1, words[:, None]).double().mean().item()
    return {f"{name}_accuracy": right, f"{name}_loss": loss}


def of_translations(outputs: Sequence[Sequence[int]], some: Sequence[Pair]) -> dict[str, float]:
    """Say how many are right, and how many words stand where they should."""
    wanted = [list(french) for _, french in some]
    pairs = list(zip(outputs, wanted, strict=True))
    right = sum(a == b for mine, french in pairs for a, b in zip(mine, french, strict=False))
    return {
        "exact_match": statistics.mean(list(mine) == french for mine, french in pairs),
        "right_words": right / sum(map(len, wanted)),
    }


def tried(model: nn.Module, some: Sequence[Pair]) -> dict[str, float]:
    """Let a decoder try all English words in each gap."""
    questions, words = gaps(some)
    candidates = range(END + 1, FIRST_FRENCH)
    log_p = [every_word_tried(model, question, candidates) for question in questions]
    return of_words("tried", torch.stack(log_p), words - candidates.start)


def own_loss(kind: str, model: nn.Module, some: Sequence[Pair]) -> float:
    """Measure the loss of what a kind is trained to do: of English alone and with French."""
    batches = SameSentences(kind, some, len(some), seed=99)
    recipe = Recipe(SEARCH.rates[0])  # the loss does not depend on it
    with evaluating(model):
        return statistics.mean(loss_of(kind)(model, batches[n], recipe).item() for n in (0, 1))


def unigram(some: Sequence[Pair]) -> Answer:
    """Make what says of any question only how frequent words are in some pairs."""
    counts = {True: torch.zeros(SYMBOLS), False: torch.zeros(SYMBOLS)}
    for pair in some:
        for english, numbers in zip((True, False), pair, strict=True):
            counts[english] += torch.bincount(torch.tensor(numbers), minlength=SYMBOLS)
    counts[True][END + 1 : FIRST_FRENCH] += 1  # so that none is impossible
    log_p = {english: (count / count.sum()).log() for english, count in counts.items()}
    return lambda questions: torch.stack([log_p[each.task != FRENCH] for each in questions])


@common.threads(1)
def measure(arm: str, seed: int, asked: common.Asked = common.PLAIN) -> list[dict]:
    """Train one model, if it is one that is trained; return its rows."""
    trial, kind = arm in SEARCH.trials, SEARCH.name_of(arm)
    sizes = QUICK_SIZES if asked.quick else SIZES
    pairs = one_text.pairs("train", 300 if asked.quick else PAIRS)
    some = one_text.pairs("validation" if trial else "test", sizes.words)
    if arm == UNIGRAM:
        found = tested(unigram(pairs), True, some, sizes)
        return [{"arm": arm, "seed": seed, "updates": 0} | rounded(found)]
    rate = SEARCH.chosen(arm, asked, OUTPUT)
    stops = QUICK_STOPS if asked.quick else TRIAL_STOPS if trial else STOPS
    config = config_of(kind)
    batches, model = SameSentences(kind, pairs, BATCH, seed), new_model(config, seed)
    run = TrainingRun(model, batches, Recipe(rate, **RECIPE), loss_of(kind))

    def at_stop() -> dict[str, str]:
        found = {"own_loss": own_loss(kind, model, some[: sizes.loss])}
        if not trial:
            found |= tested(partial(answers, kind, model), kind in GAP_FILLERS, some, sizes)
        if kind == DECODER and not trial:
            found |= tried(model, some[: sizes.tried])
        if kind in GAP_FILLERS and not trial:
            few = some[: sizes.written]
            at_once = of_translations(all_at_once(kind, model, translations(few)), few)
            found["exact_at_once"] = at_once["exact_match"]
        return rounded(found)

    found = common.stops(run, stops, at_stop, asked.keep(arm, seed))
    parameters = sum(parameter.numel() for parameter in model.parameters())
    about = {"arm": arm, "seed": seed, "rate": rate, "parameters": parameters}
    return [
        about | {"updates": n, "cpu_seconds": f"{run.log[n - 1].cpu_seconds:.1f}"} | at_stop
        for n, at_stop in zip(stops, found, strict=True)
    ]


def rounded(found: dict[str, float]) -> dict[str, str]:
    """Write numbers as the log has them, all columns in their order."""
    return {name: f"{found[name]:.4f}" if name in found else "" for name in COLUMNS}


COLUMNS = (
    "own_loss",
    "gap_accuracy",
    "gap_loss",
    "tried_accuracy",
    "tried_loss",
    "next_accuracy",
    "next_loss",
    "grammatical",
    "exact_match",
    "right_words",
    "exact_at_once",
)


def main(argv: list[str] | None = None) -> None:
    """Run what was asked for, and file the rows as they come."""
    asked = common.arguments(__file__, __doc__, SEARCH.arms, SEARCH.seeds, argv)
    SEARCH.run(measure, asked, OUTPUT)


if __name__ == "__main__":
    main()
