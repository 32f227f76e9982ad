"""Pictures of real models: the pairs, the scores, and a log that is what its script writes."""

import importlib
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from attention import corpus
from attention.interventions import patch_activations, record_weights
from attention.pretrained import files
from attention.transformer import LanguageModel, TransformerConfig

EXPERIMENTS = Path(__file__).resolve().parent.parent / "experiments"

with pytest.MonkeyPatch.context() as context:
    context.syspath_prepend(EXPERIMENTS)
    pictures = importlib.import_module("pictures")
minimal_pairs, pair_scores, patch_maps, repeats, word_links, head_pictures = (
    importlib.import_module(f"shared.{name}")
    for name in (
        "minimal_pairs",
        "pair_scores",
        "patch_maps",
        "repeats",
        "word_links",
        "head_pictures",
    )
)
ROWS = importlib.import_module("shared.logs").read_rows(pictures.OUTPUT)
HALVES = minimal_pairs.HALVES


def found(part: str, measure: str) -> dict[str, str]:
    return {r["place"]: r["value"] for r in ROWS if (r["model"], r["measure"]) == (part, measure)}


# ------------------------------------------------------------------------------------ the pairs


@pytest.mark.parametrize(("kind", "fewest"), [("it", 60), ("with", 30)])
def test_there_are_enough_pairs_in_both_halves(kind, fewest):
    pairs = minimal_pairs.read_pairs(kind)
    assert len(pairs) >= fewest
    assert {pair.half for pair in pairs} == set(HALVES)
    assert len({pair.text for pair in pairs}) == len(pairs)
    halves = [len(minimal_pairs.read_pairs(kind, half)) for half in HALVES]
    assert max(halves) <= 1.25 * min(halves)


def test_half_of_the_sentences_about_it_begin_with_an_animal():
    """Who always prefers the first noun, or the animal, is then right in one half of all."""
    animal_first = [pair.means_first in ANIMALS_ARE for pair in minimal_pairs.read_pairs("it")]
    assert sum(animal_first) * 2 == len(animal_first)


ANIMALS_ARE = set(
    "tired sick afraid scared thirsty nervous lazy curious shy hungry bored sleepy lost weary "
    "frightened lonely brave angry happy clever furious patient".split()
)


@pytest.mark.parametrize("pair", minimal_pairs.read_pairs("it") + minimal_pairs.read_pairs("with"))
def test_a_pair_differs_in_the_word_that_decides(pair):
    for frame in ("sentence", *minimal_pairs.LISTS[pair.kind]):
        one, other = (text.rstrip(".").split() for text in pair.versions(frame))
        different = [places for places in zip(one, other, strict=True) if len(set(places)) > 1]
        assert different == [pair.deciding]
        for word in (pair.first, pair.second):
            assert [each.strip(",") for each in one].count(word) == 1
    others = {pair.other_first, pair.other_second}
    assert others.isdisjoint({pair.first, pair.second})
    assert (pair.kind == "it") == all(others)


def test_frames_keep_the_words_and_change_their_order():
    pair = minimal_pairs.read_pairs("with")[0]
    assert pair.versions("sentence")[0] == "She saw the man with the telescope."
    assert pair.versions("apart")[1] == "She saw the man today with the beard."
    assert pair.versions("list")[0] == "Words: saw, man, telescope."
    assert pair.versions("list turned")[0] == "Words: man, saw, telescope."


def test_a_word_must_stand_once():
    pieces = ["The", "Ġcat", "Ġsaw", "Ġthe", "cat", "."]
    assert minimal_pairs.place_of(pieces, "saw") == 2
    assert minimal_pairs.place_of(pieces, "cat", last=True) == 4
    for word in ("cat", "dog"):
        with pytest.raises(ValueError, match=f"'{word}' should be one piece"):
            minimal_pairs.place_of(pieces, word)


# ----------------------------------------------------------------------------------- the scores

# Two heads, three pairs: the first follows the meaning, but in the last pair; the second always
# prefers the first word, and moves the right way in the first pair alone.
FOLLOWS = [[[0.6, 0.1], [0.2, 0.7]], [[0.5, 0.4], [0.3, 0.4]], [[0.1, 0.2], [0.5, 0.1]]]
PREFERS = [[[0.9, 0.1], [0.7, 0.2]], [[0.6, 0.1], [0.7, 0.1]], [[0.5, 0.2], [0.6, 0.2]]]
WEIGHTS = np.stack([np.array(FOLLOWS), np.array(PREFERS)], axis=-1)  # (3, 2, 2, heads)


@pytest.mark.arithmetic
def test_scores_of_heads_by_hand():
    assert pair_scores.right(WEIGHTS).T.tolist() == [[1, 1, 0], [0.5, 0.5, 0.5]]
    assert pair_scores.flips(WEIGHTS).T.tolist() == [[1, 1, 0], [1, 0, 0]]
    assert pair_scores.shift(WEIGHTS).T == pytest.approx(
        np.array([[1.0, 0.2, -0.5], [0.3, -0.1, -0.1]])
    )


def test_the_null_is_what_scoring_swapped_pairs_gives():
    """All swaps of three pairs: the quick sum over pairs is the score of swapped weights."""
    for score in (pair_scores.right, pair_scores.flips):
        maxima = pair_scores.null_of_maximum(score(WEIGHTS), draws=4000)
        values, counts = np.unique(maxima.round(9), return_counts=True)
        expected = []
        for swaps in itertools.product((0, 1), repeat=3):
            swapped = np.stack(
                [pair[::-1] if swap else pair for pair, swap in zip(WEIGHTS, swaps, strict=True)]
            )
            expected.append(score(swapped).mean(0).max())
        wanted, times = np.unique(np.round(expected, 9), return_counts=True)
        assert values.tolist() == wanted.tolist()
        assert counts / 4000 == pytest.approx(times / 8, abs=0.04)


def test_luck_that_does_as_well_counts():
    assert pair_scores.chance_of(0.6, np.array([0.5, 0.6, 0.7, 0.4])) == 3 / 5


def test_more_heads_make_luck_better():
    coins = np.random.default_rng(1).integers(0, 2, (40, 200)) * 1.0
    few, many = (pair_scores.null_of_maximum(coins[:, :n], draws=500).mean() for n in (2, 200))
    assert few + 0.1 < many


# --------------------------------------------------------------------------------- the patching

SMALL = TransformerConfig(
    None, 40, d_model=16, heads=2, d_ff=16, decoder_layers=4, position="rotary", norm="pre"
)


def small_model() -> LanguageModel:
    torch.manual_seed(0)
    return LanguageModel(SMALL).eval()


@pytest.mark.usefixtures("types_not_checked")  # logits of the last token alone
def test_patching_with_kept_keys_is_patching():
    model = small_model()
    tokens, others = [5, 6, 7, 8, 9, 10], [5, 11, 7, 8, 9, 10]
    text = patch_maps.Asked(tokens, {"here": 2})
    own, other = (patch_maps.run_of(model, each) for each in (tokens, others))
    stages = (0, 1, 3, 4)
    logits = patch_maps.patched(model, text, own, other, "here", stages)
    for row, stage in enumerate(stages):
        places = torch.tensor([[False, False, True, False, False, False]])
        stream = other.streams["decoder", stage]
        with (
            torch.inference_mode(),
            patch_activations(model, "decoder", stage, places, stream),
        ):
            plain = model(torch.tensor([tokens]))[0, -1]
        torch.testing.assert_close(logits[row].float(), plain, atol=1e-5, rtol=1e-5)


@pytest.mark.usefixtures("types_not_checked")  # logits of the last token alone
def test_patching_the_swapped_word_before_the_first_layer_swaps_it():
    model = small_model()
    tokens, others = [5, 6, 7, 8, 9], [5, 11, 7, 8, 9]
    text = patch_maps.Asked(tokens, {"noun": 1, "last": 4})
    own, other = (patch_maps.run_of(model, each) for each in (tokens, others))
    swapped = patch_maps.patched(model, text, own, other, "noun", (0, 4))
    torch.testing.assert_close(swapped[0], other.logits, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(swapped[1], own.logits, atol=1e-5, rtol=1e-5)
    at_the_end = patch_maps.patched(model, text, own, other, "last", (0, 4))
    torch.testing.assert_close(at_the_end[0], own.logits, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(at_the_end[1], other.logits, atol=1e-5, rtol=1e-5)


def test_only_the_named_edges_are_cut():
    text = patch_maps.Asked([0] * 5, {"it": 3, "noun": 1, "other": 2})
    edges = patch_maps.edges_between(text, "it", ("noun", "other"))
    assert edges.nonzero().tolist() == [[3, 1], [3, 2]]


def test_a_question_knows_where_its_words_stand():
    pair = minimal_pairs.read_pairs("it")[0]

    def cut(text: str) -> list[str]:
        return text.replace(".", " .").replace('"', ' " ').split()

    for version, noun in itertools.product((0, 1), (pair.first, pair.second)):
        text = patch_maps.asked(pair, version, cut, lambda text: [1] * len(cut(text)), noun)
        pieces = cut(pair.versions("sentence")[version] + patch_maps.QUESTION)
        named = {name: pieces[place] for name, place in text.places.items()}
        assert named["noun"] == noun
        assert {named["noun"], named["other"]} == {pair.first, pair.second}
        assert named["word"] == pair.deciding[version]
        assert (named["it"], named["quoted it"], named["full stop"]) == ("it", "it", ".")
        assert text.places["it"] < text.places["word"] < text.places["quoted it"]
        assert text.places["last"] == len(pieces) - 1


# --------------------------------------------------------------------------------- the repeats


def test_tokens_come_twice():
    texts = repeats.repeated(3, 1000, seed=0)
    assert texts.shape == (3, 2 * repeats.REPEATED)
    assert (texts[:, : repeats.REPEATED] == texts[:, repeats.REPEATED :]).all()
    assert texts.min() >= repeats.FIRST_TOKEN
    assert (texts != repeats.repeated(3, 1000, seed=1)).any()


def test_a_head_that_is_taken_away_gives_nothing():
    model, tokens = small_model(), torch.tensor([[5, 6, 7, 8]])
    heads = [(1, 0), (3, 1), (3, 0)]
    with repeats.without(model, heads, 4), record_weights(model) as weights, torch.no_grad():
        model(tokens)
    for layer, head in itertools.product(range(4), range(2)):
        there = bool(weights["decoder", layer][0, head].any())
        assert there == ((layer, head) not in heads)


def test_the_score_is_the_weight_on_what_came_after():
    """A model whose heads all look evenly: the score is the mean of 1 over the length."""
    model = small_model()
    for layer in model.decoder.layers:
        torch.nn.init.zeros_(layer.self_attention.W_Q.weight)
        torch.nn.init.zeros_(layer.self_attention.W_Q.bias)
    scores = repeats.induction_scores(model, repeats.repeated(2, 40, seed=0))
    lengths = torch.arange(repeats.REPEATED, 2 * repeats.REPEATED) + 1
    expected = (1 / lengths.double()).mean().item()
    assert scores.flatten().tolist() == pytest.approx([expected] * scores.numel(), rel=1e-4)


@pytest.mark.parametrize("alike", [False, True])
def test_drawn_sets_leave_the_best_out(alike):
    best = [(3, 1), (3, 4), (5, 0), (5, 2), (5, 7), (6, 3)]
    sets = repeats.random_sets(4, 8, 9, best, alike, seed=0)
    assert len(sets) == repeats.SETS
    assert len({tuple(one) for one in sets}) > repeats.SETS / 2
    for one in sets:
        assert len(set(one)) == 4
        assert not set(one) & set(best)
        if alike:
            assert [layer for layer, _ in one] == [layer for layer, _ in best[:4]]


# ------------------------------------------------------------------------------------ the links


def test_pieces_are_joined_to_words():
    words = word_links.words_of(["▁O", "▁ga", "to", "▁preto", "."])
    assert words == [("o", (0,)), ("gato", (1, 2)), ("preto", (3, 4))]


def test_nouns_of_a_translation_are_found_by_the_dictionary():
    source = ["▁the", "▁cat", "▁saw", "▁the", "▁do", "g"]
    target = ["▁o", "▁ga", "to", "▁viu", "▁o", "▁cão"]
    nouns = [*word_links.nouns_by_dictionary(source, target)]
    assert [(noun.row, noun.columns) for noun in nouns] == [(1, (1,)), (5, (4, 5))]
    twice = [*word_links.nouns_by_dictionary(["▁cat", "▁cat"], ["▁gato"])]
    assert not twice  # which one is meant, nobody knows


def test_nouns_of_the_grammar_are_those_of_the_dictionary():
    pair = corpus.translate("the cat saw the black dog")
    nouns = [*word_links.nouns_by_grammar(pair)]
    assert [(pair.english[noun.columns[0]], pair.french[noun.row]) for noun in nouns] == [
        ("cat", "chat"),
        ("dog", "chien"),
    ]


def test_the_dictionary_has_the_words_of_the_grammar():
    english = corpus.english_vocabulary()
    for noun in word_links.PORTUGUESE:
        english.encode([noun])


# -------------------------------------------------------------------------------------- the log


def test_the_log_is_complete():
    assert [*dict.fromkeys(row["model"] for row in ROWS)] == [*pictures.PARTS]
    heads = head_pictures.names_of((6, 12))
    assert [*found("minilm", "gap")] == heads
    for kind, query, frames in head_pictures.QUESTIONS:
        for frame, half in itertools.product(frames, HALVES):
            where = f"{kind} {query or 'last'}>{frame}"
            for measure in head_pictures.MEASURES:
                names = {f"{where} {half} {head}" for head in heads}
                assert names <= set(found("minilm", measure))
    positions, stages = patch_maps.POSITIONS, len(patch_maps.STAGES)
    for half in HALVES:
        pairs = len(minimal_pairs.read_pairs("it", half))
        assert len(found(f"patching {half}", "answer")) == pairs
        for swap, places in positions.items():
            shares = found(f"patching {half}", swap)
            assert len(shares) == pairs
            assert {len(value.split()) for value in shares.values()} == {len(places) * stages}
    assert len(found("induction", "score")) == 270
    for size in repeats.SIZES:
        drawn = [name for name in found("induction", "right") if name.startswith(f"any {size} ")]
        assert len(drawn) == repeats.SETS >= 10
        assert f"top {size}" in found("induction", "plain")


def test_each_null_has_all_draws():
    names = found("minilm", "best")
    for name in names:
        counts = [
            int(value) for place, value in found("minilm", "null").items() if place.startswith(name)
        ]
        assert sum(counts) >= pair_scores.DRAWS  # a name can begin another, such as a list's
    assert len(names) == 2 * sum(len(frames) for *_, frames in head_pictures.QUESTIONS)


def test_the_log_says_what_the_chapter_says():
    gaps = {head: float(value) for head, value in found("minilm", "gap").items()}
    right = {
        head: [float(found("minilm", "right")[f"it it>sentence {half} {head}"]) for half in HALVES]
        for head in gaps
    }
    beautiful, best = max(gaps, key=gaps.get), max(right, key=lambda head: sum(right[head]))
    assert np.mean(right[beautiful]) == pytest.approx(0.5, abs=0.03)
    assert min(right[best]) > 0.65
    assert float(found("minilm", "chance")["right it it>sentence"]) < 0.001
    before = found("minilm", "before")
    assert float(before["sentence object"]) > 0.99 > 0.01 > float(before["apart object"])
    assert found("marian", "config")[word_links.SETTING] == "last"
    assert float(found("smollm2", "row")["it largest difference"]) == 0
    order = found("patching before", "order")
    noun = order["noun"].split(", ")
    shares = np.array(
        [
            [*map(float, value.split())]
            for half in HALVES
            for value in found(f"patching {half}", "noun").values()
        ]
    ).reshape(-1, len(noun), len(order["stages"].split()))
    assert len(shares) >= 50
    medians = np.median(shares, 0)
    assert medians[noun.index("noun"), 0] == pytest.approx(1, abs=1e-3)
    assert medians[noun.index("last"), -1] == pytest.approx(1, abs=1e-3)
    assert np.abs(medians[noun.index("it")]).max() < 0.05
    kept = {name: float(value) for name, value in found("induction", "right").items()}
    drawn = [value for name, value in kept.items() if name.startswith("any 6 ")]
    assert kept["top 6"] < 0.1 < np.median(drawn)


# ------------------------------------------------------------------------------- the real models


def compare(part: str, measures: tuple[str, ...], rows: list[dict]) -> None:
    logged = [row for row in ROWS if row["model"] == part and row["measure"] in measures]
    rows = [row for row in rows if row["measure"] in measures]
    assert [(r["measure"], str(r["place"])) for r in rows] == [
        (r["measure"], r["place"]) for r in logged
    ]
    for row, old in zip(rows, logged, strict=True):
        assert float(row["value"]) == pytest.approx(float(old["value"]), rel=1e-3, abs=2e-3), row


@pytest.mark.arithmetic
@pytest.mark.usefixtures("types_not_checked")
def test_the_books_translator_gives_what_the_log_says():
    compare("translator", ("link", "sharpness", "rate"), pictures.measure("translator"))


@pytest.mark.arithmetic
@pytest.mark.usefixtures("types_not_checked")
def test_the_bert_gives_what_the_log_says():
    """The pictures themselves: the maps, and the head that looks one token back.

    Scores count which of two weights is larger, and near ties turn with the processor.
    """
    if not files.is_here("minilm"):
        pytest.skip("minilm: `make models` has not been run")
    rows = importlib.import_module("shared.first_token").Rows("minilm")
    model, tokenizer = pictures.minilm()

    def pieces_of(text: str) -> list[str]:
        return [tokenizer.pieces[token] for token in tokenizer.encode_sentence(text)]

    reader = model, pieces_of, tokenizer.encode_sentence
    head_pictures.famous(rows, *reader)
    head_pictures.token_before(rows, *reader, pictures.TEXTS)
    rows = [row for row in rows if row["measure"] in ("gap", "row", "before")]
    compare("minilm", ("gap", "row", "before"), rows)


@pytest.mark.slow
@pytest.mark.arithmetic
@pytest.mark.usefixtures("types_not_checked")
def test_the_llama_answers_what_the_log_says():
    if not files.is_here("smollm2"):
        pytest.skip("smollm2: `make models` has not been run")
    rows = importlib.import_module("shared.first_token").Rows("patching before")
    decoder_pictures = importlib.import_module("shared.decoder_pictures")
    pairs = minimal_pairs.read_pairs("it", "before")[:2]
    decoder_pictures.maps(rows, *pictures.smollm2(), pairs)
    for row in rows:
        if row["measure"] in ("answer", "noun", "word", "swap"):
            old = found("patching before", row["measure"])[str(row["place"])]
            new, old = ([*map(float, value.split())] for value in (row["value"], old))
            assert new == pytest.approx(old, rel=1e-2, abs=1e-2), row
