"""Three kinds of model: what each is trained on and reads, and what the log says."""

from functools import partial

import pytest
import torch

import three_kinds
from attention.tokens import END, PADDING, START
from attention.training import Recipe, TrainingRun
from attention.transformer import TransformerConfig
from shared import kinds, one_text, questions
from shared.kinds import ANY_SHARE, BLANK, BOTH, DECODER, ENCODER, GAP_FILLERS, KINDS, SEES_AHEAD
from shared.logs import read_rows
from shared.one_text import EQUALS
from shared.questions import FRENCH, GAP, NEXT, Question, Read, as_read

pytestmark = pytest.mark.usefixtures("types_not_checked")  # thousands of sentences are drawn

Row = dict[str, str]


def small_model(kind: str):
    source = None if kind == DECODER else three_kinds.SYMBOLS
    target = three_kinds.SYMBOLS if kind in (DECODER, BOTH) else None
    config = TransformerConfig(
        source, target, d_model=16, heads=2, d_ff=16, tie_source=kind == BOTH
    )
    return kinds.new_model(config, 0).double()


# ------------------------------------------------------------------- the models, their training


def test_all_kinds_have_as_many_parameters():
    found = {}
    for kind in KINDS:
        model = kinds.new_model(three_kinds.config_of(kind), 0)
        found[kind] = sum(parameter.numel() for parameter in model.parameters())
    assert found[ENCODER] == found[ANY_SHARE] == found[DECODER] == found[SEES_AHEAD]
    assert abs(found[BOTH] / found[DECODER] - 1) < 0.01


def test_the_search_is_equal():
    search = three_kinds.SEARCH
    for kind in KINDS:
        assert [rate for of, rate in search.trials.values() if of == kind] == [*search.rates]
    assert search.trial_seed not in search.seeds
    assert len(search.seeds) >= 3
    assert three_kinds.TRIAL_STOPS[-1] * 2 == three_kinds.STOPS[-1]


@pytest.fixture(scope="module")
def batches() -> dict[str, kinds.SameSentences]:
    pairs = one_text.pairs("train", 200)
    return {kind: kinds.SameSentences(kind, pairs, 16, seed=3) for kind in KINDS}


def sentence(row: list[int]) -> list[int]:
    return row[: row.index(END)]


def test_all_kinds_are_trained_on_the_same_sentences(batches):
    for step in range(26):  # two epochs
        found = {}
        for kind, data in batches.items():
            source, target = data[step].source.tolist(), data[step].target.tolist()
            if kind in GAP_FILLERS:
                both = [
                    [word or shown for shown, word in zip(a, b, strict=True)]
                    for a, b in zip(source, target, strict=True)
                ]
                found[kind] = [sentence(row) for row in both]
            elif kind != BOTH:
                assert source == [[START, *row[:-1]] for row in target]
                found[kind] = [sentence(row) for row in target]
            elif step % 2:
                pairs = zip(source, target, strict=True)
                found[kind] = [[*sentence(a), EQUALS, *sentence(b)] for a, b in pairs]
            else:
                found[kind] = []
                for a, b in zip(source, target, strict=True):
                    place = a.index(BLANK)
                    found[kind].append([*a[:place], *sentence(b), *sentence(a)[place + 1 :]])
        first = found[ENCODER]
        assert all(texts == first for texts in found.values())
        assert {EQUALS in text for text in first} == {bool(step % 2)}


def test_an_interrupted_run_of_an_encoder_gives_the_same(tmp_path):
    runs = []
    for _ in range(2):
        data = kinds.SameSentences(ENCODER, one_text.pairs("train", 200), 16, seed=3)
        loss = kinds.loss_of(ENCODER)
        runs.append(TrainingRun(small_model(ENCODER), data, Recipe(0.01), loss))
    whole, first = runs
    whole.advance(4)
    first.advance(2)
    first.save(tmp_path / "run.safetensors")
    second = TrainingRun(small_model(ENCODER), first.data, Recipe(0.01), first.loss)
    second.resume(tmp_path / "run.safetensors")
    second.advance(2)
    for one, other in zip(whole.model.parameters(), second.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_batches_are_the_same_when_asked_for_again(batches):
    for data in batches.values():
        one, other = data[5], data[5]
        assert torch.equal(one.source, other.source)
        assert torch.equal(one.target, other.target)


@pytest.mark.parametrize(("kind", "share"), [(ENCODER, 0.15), (ANY_SHARE, 0.5)])
def test_words_are_blanked_and_nothing_else(kind, share):
    data = kinds.SameSentences(kind, one_text.pairs("train", 400), 400, seed=0)
    batch = data[1]  # with French
    gaps = batch.source == BLANK
    assert torch.equal(gaps, batch.target != PADDING)
    assert gaps.any(1).all()
    assert not ((batch.target == END) | (batch.target == EQUALS)).any()
    words = (batch.source != PADDING) & (batch.source != END) & (batch.source != EQUALS)
    # A gap is sure, so there are some more than that share.
    assert share - 0.06 < (gaps.sum() / words.sum()).item() < share + 0.08
    each = gaps.sum(1) / words.sum(1)
    assert (kind == ANY_SHARE) == bool((each > 0.9).any())


def test_a_stretch_may_be_one_word_or_all_up_to_the_end():
    data = kinds.SameSentences(BOTH, one_text.pairs("train", 400), 400, seed=0)
    batch = data[0]
    lengths = (batch.target != PADDING).sum(1) - 1
    places = (batch.source == BLANK).int().argmax(1)
    last = (batch.source == END).int().argmax(1) - 1 == places
    assert (lengths == 1).sum() > 40
    assert (last & (places <= 2) & (lengths > 4)).sum() > 10
    assert ((batch.source == BLANK).sum(1) == 1).all()


# -------------------------------------------------------------------------------- the questions

A, B, C, D = 11, 12, 13, 14
ASKED = {
    GAP: Question(GAP, [A, BLANK, C]),
    NEXT: Question(NEXT, [A, B], [C], length=5),
    FRENCH: Question(FRENCH, [A, B], [C], length=4),
}
READ = {
    ENCODER: {
        GAP: Read([], [A, BLANK, C, END], 1),
        NEXT: Read([], [A, B, C, BLANK, BLANK, END], 3),
        FRENCH: Read([], [A, B, EQUALS, C, BLANK, BLANK, BLANK, END], 4),
    },
    DECODER: {
        GAP: Read([], [START, A], 1),
        NEXT: Read([], [START, A, B, C], 3),
        FRENCH: Read([], [START, A, B, EQUALS, C], 4),
    },
    BOTH: {
        GAP: Read([A, BLANK, C, END], [START], 0),
        NEXT: Read([A, B, BLANK, END], [START, C], 1),
        FRENCH: Read([A, B, END], [START, C], 1),
    },
}
READ |= {ANY_SHARE: READ[ENCODER], SEES_AHEAD: READ[DECODER]}


@pytest.mark.parametrize("kind", KINDS)
def test_what_each_kind_reads(kind):
    assert {task: as_read(kind, question) for task, question in ASKED.items()} == READ[kind]


@pytest.mark.arithmetic
@pytest.mark.parametrize("kind", KINDS)
def test_questions_are_answered_one_by_one(kind):
    """Together, with padding, as alone."""
    model = small_model(kind)
    for task in (GAP, NEXT, FRENCH):
        some = [ASKED[task], ASKED[task]._replace(given=[D, *ASKED[task].given], length=9)]
        together = questions.answers(kind, model, some)
        for row, question in zip(together, some, strict=True):
            alone = questions.answers(kind, model, [question])[0]
            torch.testing.assert_close(row, alone)
            assert row.exp().sum().item() == pytest.approx(1)


def test_who_sees_the_next_token():
    """Of the next token's training: the decoder does not, the encoder without a mask does."""
    text = torch.tensor([[START, A, B, C]])
    other = torch.tensor([[START, A, D, C]])
    for kind, sees in ((DECODER, False), (SEES_AHEAD, True)):
        model = small_model(kind)
        with torch.no_grad():
            one, two = model(text)[0, :2], model(other)[0, :2]
        assert torch.equal(one, two) != sees


@pytest.mark.arithmetic
def test_every_word_is_tried_in_the_whole_sentence():
    model, candidates = small_model(DECODER), range(10, 20)
    found = questions.every_word_tried(model, ASKED[GAP], candidates)
    log_p = []
    for word in candidates:
        text = [START, A, word, C, END]
        with torch.no_grad():
            steps = model(torch.tensor([text[:-1]]))[0].log_softmax(-1)
        log_p.append(sum(steps[place, token] for place, token in enumerate(text[1:])))
    torch.testing.assert_close(found, torch.stack(log_p).log_softmax(0))


def scripted(texts: dict[int, list[int]], asked: list[int]):
    """Answer with the words of a script, by the first word that is given."""

    def answer(some: list[Question]) -> torch.Tensor:
        asked.append(len(some))
        words = [texts[question.given[0]][len(question.written)] for question in some]
        return torch.nn.functional.one_hot(torch.tensor(words), 99).double().log()

    return answer


def test_writing_ends_by_itself_or_where_it_is_told_to():
    some = [Question(NEXT, [10, 10], length=4), Question(NEXT, [20, 20], length=3)]
    some += [Question(NEXT, [30, 30], length=9)]
    scripts = {10: [41, END, 42, 42], 20: [43, 44, 45, 46], 30: [47, 48, 49, 50]}
    asked: list[int] = []
    write = partial(questions.write, scripted(scripts, asked), some, three_kinds.likeliest, 3)
    assert write(told_length=False) == [[41], [43, 44, 45], [47, 48, 49]]
    assert asked == [3, 3, 2]
    asked.clear()
    assert write(told_length=True) == [[41], [43], [47, 48, 49]]
    assert asked == [3, 2, 1]


def test_all_at_once_is_one_reading():
    model = small_model(ENCODER)
    some = [Question(FRENCH, [A, B, C], length=2), Question(FRENCH, [A], length=4)]
    found = questions.all_at_once(ENCODER, model, some)
    assert [len(words) for words in found] == [2, 4]
    first = questions.answers(ENCODER, model, some).argmax(-1)
    assert [words[0] for words in found] == first.tolist()


def test_gaps_and_beginnings_of_the_sentences():
    some = one_text.pairs("test", 50)
    for (english, _), question, word in zip(some, *three_kinds.gaps(some), strict=True):
        place = question.given.index(BLANK)
        assert [*question.given[:place], word, *question.given[place + 1 :]] == english
    for (english, _), question, word in zip(some, *three_kinds.beginnings(some), strict=True):
        assert [*question.given, word] == english[: len(question.given) + 1]
        assert question.given
        assert question.length == len(english)


def test_what_a_sentence_is():
    some = one_text.pairs("test", 20)
    assert all(three_kinds.is_sentence(english) for english, _ in some)
    assert not any(three_kinds.is_sentence(french) for _, french in some)
    assert not any(three_kinds.is_sentence(english[::-1]) for english, _ in some)
    assert not three_kinds.is_sentence([])


def test_scores_of_translations():
    some = [([A], [41, 42]), ([B], [43])]
    found = three_kinds.of_translations([[41, 42], [43, 44]], some)
    assert found == {"exact_match": 0.5, "right_words": 1}
    found = three_kinds.of_translations([[42, 42], []], some)
    assert found == {"exact_match": 0, "right_words": pytest.approx(1 / 3)}


def test_the_unigram_knows_how_frequent_words_are():
    some = [([11, 11, 11, 12], [300, 301, 300])]
    answer = three_kinds.unigram(some)
    english, french = answer([ASKED[GAP], ASKED[FRENCH]]).exp()
    words = one_text.FIRST_FRENCH - END - 1
    assert english[11].item() == pytest.approx(4 / (4 + words))
    assert english.sum().item() == pytest.approx(1)
    assert (english[END + 1 : one_text.FIRST_FRENCH] > 0).all()
    assert french[300].item() == pytest.approx(2 / 3)
    assert not english[one_text.FIRST_FRENCH :].any()


@pytest.mark.arithmetic
@pytest.mark.parametrize("kind", KINDS)
def test_own_loss_is_that_of_training(kind):
    model, some = small_model(kind), one_text.pairs("validation", 8)
    batches = kinds.SameSentences(kind, some, 8, seed=99)
    losses = [kinds.loss_of(kind)(model, batches[n], Recipe(0.1)).item() for n in (0, 1)]
    assert three_kinds.own_loss(kind, model, some) == pytest.approx(sum(losses) / 2)


# ----------------------------------------------------------------------------------------- the log


@pytest.fixture(scope="module")
def log() -> list[Row]:
    if not three_kinds.OUTPUT.exists():
        pytest.skip(f"{three_kinds.OUTPUT.name}: the script has yet to be run")
    return read_rows(three_kinds.OUTPUT)


def test_log_is_complete(log):
    search = three_kinds.SEARCH
    stops = dict.fromkeys(search.trials, three_kinds.TRIAL_STOPS) | {three_kinds.UNIGRAM: (0,)}
    expected = [
        (arm, str(seed), str(stop))
        for arm, seed in search.order(search.arms, search.seeds)
        for stop in stops.get(arm, three_kinds.STOPS)
    ]
    assert [(row["arm"], row["seed"], row["updates"]) for row in log] == expected


def test_log_has_the_best_trials_rates(log):
    trained = [row for row in log if row["arm"] != three_kinds.UNIGRAM]
    for row in trained:
        assert float(row["rate"]) == three_kinds.SEARCH.rate_of(row["arm"], log)
    counts = [int(row["parameters"]) for row in trained]
    assert max(counts) / min(counts) < 1.02


def columns_of(arm: str) -> set[str]:
    """Say what is measured of an arm."""
    if arm in three_kinds.SEARCH.trials:
        return {"own_loss"}
    lacks = set()
    if arm != DECODER:
        lacks |= {"tried_accuracy", "tried_loss"}
    if arm not in GAP_FILLERS:
        lacks |= {"exact_at_once"}
    if arm == three_kinds.UNIGRAM:
        lacks |= {"own_loss"}
    return {*three_kinds.COLUMNS} - lacks


def test_log_has_what_each_kind_can_be_asked_for(log):
    for row in log:
        there = {name for name in three_kinds.COLUMNS if row[name]}
        assert there == columns_of(row["arm"])
        for name in there:
            value = float(row[name])
            assert value >= 0
            assert value <= 1 or name.endswith("loss")


def test_log_says_that_the_control_sees_the_answer(log):
    """Its own loss is next to nothing, and it writes no better than chance."""
    for row in log:
        if row["arm"] == SEES_AHEAD and int(row["updates"]) == three_kinds.STOPS[-1]:
            assert float(row["own_loss"]) < 0.05
            assert float(row["exact_match"]) == 0
            assert float(row["grammatical"]) < 0.05
