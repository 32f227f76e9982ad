"""The English–French grammar: its French, its links, its pronouns and its splits."""

import ast
import os
import random
import re
import sys
import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from hashlib import sha256
from itertools import combinations, pairwise
from pathlib import Path

import jaxtyping
import pytest
from tests.corpus import agreement

from attention import corpus, training
from attention.corpus import drawing, held_out, lexicon, parser, rules, shapes
from attention.corpus.french import begins_with_vowel
from attention.corpus.trees import Node

HERE = Path(__file__).resolve().parent / "corpus"
PRONOUNS = ("pronouns, two nouns", "pronouns, three nouns")
SMALL = {name: 150 for name in corpus.SPLITS} | {"train": 3000} | dict.fromkeys(PRONOUNS, 300)


def table(name):
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


GOLDEN = table("golden.tsv")
PLANTED = table("planted.tsv")


@contextmanager
def types_not_checked():
    """Draw in bulk ten times as fast; the pairs written by hand are read with types checked."""
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture
def fast():
    with types_not_checked():
        yield


@pytest.fixture(scope="module")
def drawn():
    """Ten thousand pairs of all lengths, or a part of them."""
    count = 4_000 if "ATTENTION_TEST_CASES" in os.environ else 10_000
    with types_not_checked():
        return corpus.generate(count, corpus.LENGTHS, seed="test")


@pytest.fixture(scope="module")
def split():
    with types_not_checked():
        return corpus.splits(SMALL)


def rules_of(node):
    inner = [rule for child in node.children if isinstance(child, Node) for rule in rules_of(child)]
    return [node.rule, *inner]


# -------------------------------------------------------------- pairs by hand


@pytest.mark.parametrize(("english", "french"), GOLDEN)
def test_a_pair_written_by_hand(english, french):
    pair = corpus.translate(english)
    assert corpus.as_text(pair.english) == english
    assert corpus.as_text(pair.french) == french


def test_the_pairs_written_by_hand_are_many_and_cover_the_grammar():
    assert len({english for english, _ in GOLDEN}) == len(GOLDEN) >= 200
    trees = [parser.parse(parser.tokenize(english)) for english, _ in GOLDEN]
    used = {rule for tree in trees for rule in rules_of(tree)}
    assert used == {rule for options in rules.rules().values() for rule in options}
    pairs = [corpus.translate(english) for english, _ in GOLDEN]
    assert {token for pair in pairs for token in pair.english} == words(corpus.english_vocabulary())
    assert {token for pair in pairs for token in pair.french} == words(corpus.french_vocabulary())


def test_the_famous_sentence():
    tired = corpus.translate("The cat sat on the mat because it was tired.")
    assert corpus.as_text(tired.french) == (
        "le chat s'est assis sur le tapis parce qu'il était fatigué"
    )
    (pronoun,) = tired.pronouns
    assert (pronoun.word, pronoun.translation) == ("it", "il")
    assert tired.english[pronoun.index] == "it"
    assert tired.french[pronoun.target] == "il"
    assert [tired.english[place] for place in pronoun.candidates] == ["cat", "mat"]
    assert tired.english[pronoun.antecedent] == "cat"
    comfortable = corpus.translate("the cat sat on the chair because it was comfortable")
    assert comfortable.english[comfortable.pronouns[0].antecedent] == "chair"
    assert comfortable.pronouns[0].translation == "elle"


# -------------------------------------------------------- a checker of French


def test_the_checker_finds_nothing_wrong_with_the_pairs_written_by_hand():
    for _, french in GOLDEN:
        assert agreement.mistakes(french) == []


@pytest.mark.parametrize(("kind", "right", "wrong"), PLANTED)
def test_the_checker_finds_a_planted_mistake(kind, right, wrong):
    assert agreement.mistakes(right) == []
    assert agreement.mistakes(wrong), f"{kind} not found"


def test_the_planted_mistakes_are_many():
    assert len({wrong for _, _, wrong in PLANTED}) == len(PLANTED) >= 20
    assert len({kind for kind, _, _ in PLANTED}) >= 8


OTHER_FORM = {}
for pair_of_forms in """
    un une, le la, ce cette, a ont, est sont, était étaient, avait avaient, aimait aimaient,
    petit petite, grand grande, gros grosse, beau belle, vieux vieille, noir noire, vert verte,
    blanc blanche, heureux heureuse, fatigué fatiguée, frais fraîche, lourd lourde, mûr mûre,
    vu vue, mangé mangée, trouvé trouvée, tombé tombée, parti partie, assis assise, allé allée,
    du de, au à, les le, l' la, n' ne, qu' que, d' de, pas pomme
""".split(","):
    one, other = pair_of_forms.split()
    OTHER_FORM |= {one: other, other: one}


def test_the_checker_finds_one_wrong_form_anywhere(drawn):
    rng = random.Random(0)
    spoiled = 0
    for pair in drawn[:3000]:
        places = [at for at, word in enumerate(pair.french) if word in OTHER_FORM]
        at = rng.choice(places)
        wrong = [*pair.french[:at], OTHER_FORM[pair.french[at]], *pair.french[at + 1 :]]
        assert agreement.mistakes(corpus.as_text(wrong)), corpus.as_text(wrong)
        spoiled += 1
    assert spoiled == 3000


def test_the_checker_shares_no_code_with_the_grammar():
    source = (HERE / "agreement.py").read_text(encoding="utf-8")
    assert not re.search(r"^\s*(import|from) ", source, re.MULTILINE)


def test_the_grammar_needs_the_standard_library_alone():
    for source in Path(corpus.__file__).parent.glob("*.py"):
        nodes = ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        modules = [node.module for node in nodes if isinstance(node, ast.ImportFrom)]
        assert {name.split(".")[0] for name in modules} <= {"attention"} | sys.stdlib_module_names


def test_ten_thousand_sentences_without_a_mistake(drawn):
    wrong = [pair for pair in drawn if agreement.mistakes(corpus.as_text(pair.french))]
    assert [str(pair) for pair in wrong] == []


# ------------------------------------------------------------------- drawing


def test_the_lengths_are_those_asked_for_and_equally_frequent(drawn):
    counts = Counter(len(pair.english) for pair in drawn)
    assert set(counts) == set(range(4, 41))
    expected = len(drawn) / 37
    assert max(abs(count - expected) for count in counts.values()) < 5 * expected**0.5


def test_drawing_depends_on_the_seed_alone():
    first = corpus.generate(50, seed=1)
    assert first == corpus.generate(50, seed=1)
    assert first == corpus.generate(80, seed=1)[:50]
    assert first != corpus.generate(50, seed=2)
    assert corpus.draw_split("test", 20) == corpus.draw_split("test", 40)[:20]


def test_the_sentences_are_the_same_on_every_machine(fast):
    text = "\n".join(map(str, corpus.generate(200, corpus.LENGTHS, seed=0)))
    assert sha256(text.encode()).hexdigest()[:16] == "7dc24288a3eba624"


def test_a_hundred_thousand_sentences_would_take_less_than_a_minute(fast):
    # A loose bar: the machine is shared.
    corpus.generate(200)
    start = time.process_time()
    corpus.generate(2000)
    assert time.process_time() - start < 2000 * 60 / 100_000 * 3


def test_lengths_are_drawn_with_the_grammars_own_probabilities(fast):
    # Expand rules at random with no length in mind, and count the lengths.
    rng = random.Random(0)

    def length_of(item):
        options = rules.rules().get(item)
        if options is None:
            return 1
        (rule,) = rng.choices(options, [rule.weight for rule in options])
        return sum(map(length_of, rule.english))

    draws = 20_000
    counts = Counter(length_of("S") for _ in range(draws))
    for length in range(3, 25):
        expected = shapes.probability("S", length)
        spread = (expected * (1 - expected) / draws) ** 0.5
        assert abs(counts[length] / draws - expected) < 5 * spread
    assert shapes.probability("S", 2) == 0
    assert sum(shapes.probability("S", length) for length in range(3, 80)) == pytest.approx(
        1, abs=0.02
    )


def test_a_shape_of_a_length_is_drawn_like_one_that_happens_to_have_it(fast):
    rng = random.Random(0)
    draws = 4000
    with_relative = sum("Rel" in str(rules_of(shapes.shape("NP", 5, rng))) for _ in range(draws))
    happened = []
    while len(happened) < draws:
        phrase = grow("NP", rng)
        if phrase[0] == 5:
            happened.append(phrase[1])
    spread = (0.25 / draws) ** 0.5
    assert abs(with_relative - sum(happened)) / draws < 5 * 2**0.5 * spread


def grow(item, rng):
    """Expand an item at random; return its length and whether it has a relative clause."""
    options = rules.rules().get(item)
    if options is None:
        return 1, False
    (rule,) = rng.choices(options, [rule.weight for rule in options])
    parts = [grow(part, rng) for part in rule.english]
    return sum(part[0] for part in parts), item == "Rel" or any(part[1] for part in parts)


# ------------------------------------------------------- parses and alignment


def test_every_sentence_has_one_derivation_and_is_read_back(drawn, fast):
    for pair in drawn[:1000]:
        assert len(parser.derivations(pair.english)) == 1
        assert corpus.translate(pair.english) == pair


def test_with_belongs_to_the_noun_or_to_the_verb():
    noun = corpus.translate("the girl washed the dog with the white tail")
    verb = corpus.translate("the girl washed the dog with the white brush")
    assert "(NP1 (NP0 (Det the) (Bar(N) (N dog))) with the (Bar(Attr)" in noun.parse
    assert "with (Inst" in verb.parse
    assert "à" in noun.french
    assert "avec" in verb.french


def test_brackets_of_a_parse_hold_the_sentence(drawn):
    for pair in drawn[:300]:
        assert pair.parse.count("(Bar(") + pair.parse.count("(") - pair.parse.count(")") == (
            pair.parse.count("(Bar(")
        )
        leaves = re.sub(r"Bar\(\w+\)", "Bar", pair.parse)
        leaves = re.sub(r"\([A-Z]\w*", "", leaves).replace(")", " ")
        assert tuple(leaves.split()) == pair.english


def test_every_token_is_linked(drawn):
    for pair in drawn:
        assert pair.sure <= pair.possible
        assert {source for source, _ in pair.possible} == set(range(len(pair.english)))
        assert {target for _, target in pair.possible} == set(range(len(pair.french)))


def test_a_french_word_has_one_sure_link_at_most(drawn):
    for pair in drawn:
        assert max(Counter(target for _, target in pair.sure).values()) == 1


def test_only_some_words_are_left_without_a_sure_link(drawn):
    # Left of the bar: English words that stand for no French word alone.
    english, french = Counter(), Counter()
    for pair in drawn:
        sources = {source for source, _ in pair.sure}
        targets = {target for _, target in pair.sure}
        english.update(word for at, word in enumerate(pair.english) if at not in sources)
        french.update(word for at, word in enumerate(pair.french) if at not in targets)
    assert set(english) <= {"did", "for", "in", "of", "the", "to", "with", "'s"}
    articles, auxiliaries = {"le", "la", "l'", "les"}, {"a", "ont", "est", "sont", "s'", "se"}
    assert set(french) <= {"du", "des", "au", "aux"} | articles | auxiliaries


@pytest.mark.parametrize(
    ("sentence", "word", "linked"),
    [
        ("the cat sat on this mat because it slept", "sat", {"s'", "est", "assis"}),
        ("a dog did not see the cat", "not", {"n'", "pas"}),
        ("a dog did not see the cat", "did", {"a"}),
        ("a dog did not see the cat", "see", {"a", "vu"}),
        ("a dog never saw this cat", "never", {"n'", "jamais"}),
        ("the king slept in front of a church", "front", {"devant"}),
        ("the king slept in front of a church", "of", {"devant"}),
        ("a king's dog slept", "'s", {"le", "d'"}),
        ("this dog slept near a king", "near", {"près", "d'"}),
        ("this girl slept because a dog ran", "because", {"parce", "qu'"}),
        ("this girl was angry", "angry", {"en", "colère"}),
        ("this girl was hungry", "hungry", {"faim"}),
        ("a black dog slept", "black", {"noir"}),
        ("this dog looked for a cat", "for", {"cherché"}),
        ("many birds slept", "many", {"beaucoup", "d'"}),
    ],
)
def test_what_a_word_is_linked_to(sentence, word, linked):
    pair = corpus.translate(sentence)
    place = pair.english.index(word)
    assert {pair.french[target] for source, target in pair.possible if source == place} == linked


def test_a_contraction_is_linked_to_both_its_words():
    pair = corpus.translate("the king's castle was old")  # le château du roi était vieux
    (du,) = [target for target, word in enumerate(pair.french) if word == "du"]
    assert {pair.english[source] for source, target in pair.possible if target == du} == {
        "'s",
        "the",
    }
    assert du not in {target for _, target in pair.sure}


# ------------------------------------------------------------------ pronouns


def test_the_antecedent_is_the_only_candidate_that_fits(drawn):
    seen = Counter()
    for pair in drawn:
        for pronoun in pair.pronouns:
            assert pair.english[pronoun.index] == pronoun.word
            assert pronoun.antecedent in pronoun.candidates
            assert max(pronoun.candidates) < pronoun.index
            meant = pronoun.candidates.index(pronoun.antecedent)
            assert pronoun.translation.startswith("elle" if pronoun.feminine[meant] else "il")
            assert pronoun.translation.endswith("s") == (pronoun.word == "they")
            said = pair.english[pronoun.index + 1 : pronoun.index + 5]
            after_was = [word for word in said if word not in ("was", "were", "not", "very")][:1]
            if said[0] in ("was", "were"):
                adjective = lexicon.ADJECTIVES[after_was[0]]
                fit = [noun for noun in pronoun.nouns if adjective.suits(lexicon.NOUNS[noun])]
                assert fit == [pronoun.nouns[meant]]
            seen[pronoun.word, len(pronoun.candidates)] += 1
    assert all(seen["it", count] > 50 for count in (1, 2, 3))
    assert all(seen[word, 1] > 50 for word in ("they", "he", "she"))


@pytest.mark.parametrize("name", PRONOUNS)
def test_no_rule_of_position_finds_the_antecedent(name, split):
    pronouns = [pair.pronouns[0] for pair in split[name]]
    right = Counter()
    for pronoun in pronouns:
        feminine = pronoun.translation == "elle"
        right["nearest"] += pronoun.feminine[-1] == feminine
        right["first"] += pronoun.feminine[0] == feminine
        right["always elle"] += feminine
    assert all(0.35 < count / len(pronouns) < 0.65 for count in right.values()), right


def test_contrasts_change_one_adjective_and_the_antecedent():
    pair = corpus.translate("the cat sat on the chair because it was tired")
    others = corpus.contrasts(pair)
    assert "comfortable" in {other.english[-1] for other in others}
    for other in others:
        assert other.english[:-1] == pair.english[:-1]
        assert other.english[other.pronouns[0].antecedent] == "chair"
        assert other.pronouns[0].translation == "elle"
    assert corpus.contrasts(corpus.translate("the cat slept because it was tired")) == []
    assert corpus.contrasts(corpus.translate("the cat slept")) == []


def test_contrasts_of_a_split_exist(split, fast):
    pairs = split["pronouns, two nouns"][:100]
    pairs = [pair for pair in pairs if pair.english[pair.pronouns[0].index + 1] == "was"]
    with_contrasts = [pair for pair in pairs if corpus.contrasts(pair)]
    assert len(with_contrasts) > 0.5 * len(pairs)


# -------------------------------------------------------------------- splits


def test_no_sentence_is_in_two_splits(split):
    sentences = {name: {pair.english for pair in pairs} for name, pairs in split.items()}
    for name, pairs in split.items():
        assert len(pairs) == len(sentences[name]) == SMALL[name]  # and none comes twice
    for one, other in combinations(sentences, 2):
        assert not sentences[one] & sentences[other]


def test_every_sentence_is_at_home_in_its_split(split):
    for name, pairs in split.items():
        assert {corpus.home(pair) for pair in pairs} == {name}
        assert {len(pair.english) for pair in pairs} <= set(corpus.SPLITS[name])


def test_a_sentence_has_the_same_home_whoever_draws_it(drawn, fast):
    homes = Counter(map(corpus.home, drawn))
    assert set(homes) == {*corpus.SPLITS, None}
    drawn_again = corpus.generate(3000, range(5, 7), seed="short")
    train = {pair.english for pair in corpus.draw_split("train", 2000)}
    for pair in drawn_again:
        if pair.english in train:
            assert corpus.home(pair) == "train"


def test_training_holds_nothing_that_is_held_out(split):
    for name, pairs in split.items():
        unseen = [
            any(held_out.combination(*words) for words in pair.combinations) for pair in pairs
        ]
        apart = [any(held_out.pair(*nouns) for nouns in pair.noun_pairs) for pair in pairs]
        assert set(unseen) == {name == "unseen combinations"}
        assert set(apart) == {name.startswith("pronouns")}


def test_the_held_out_words_are_in_training_each_for_itself(split):
    train = [words for pair in split["train"] for words in pair.combinations]
    adjectives, nouns = {adjective for adjective, _ in train}, {noun for _, noun in train}
    assert adjectives == set(lexicon.ADJECTIVES)
    for pair in split["unseen combinations"]:
        assert {noun for _, noun in pair.combinations} <= nouns
    share = [held_out.combination(a, n) for a in lexicon.ADJECTIVES for n in lexicon.NOUNS]
    assert 0.09 < sum(share) / len(share) < 0.15


def test_every_french_form_of_an_adjective_can_stand_in_training():
    forms = defaultdict(list)
    for adjective in lexicon.ADJECTIVES.values():
        for noun in filter(adjective.suits, lexicon.NOUNS.values()):
            seen = not held_out.combination(adjective.name, noun.name)
            word = adjective.beside(noun)
            for plural in noun.numbers:
                form = word.french[2 * plural + noun.feminine]
                forms[form].append(seen)
                if word.vowel and form == word.french[0] and begins_with_vowel(noun.french[0]):
                    forms[word.vowel].append(seen)
    assert [form for form, seen in forms.items() if not any(seen)] == []


def test_the_pronoun_splits(split):
    for name, count in (("pronouns, two nouns", 2), ("pronouns, three nouns", 3)):
        for pair in split[name]:
            (pronoun,) = pair.pronouns
            assert pronoun.word == "it"
            assert len(pronoun.candidates) == count
            assert pronoun.decides


def test_keep_takes_some_and_the_lengths_stay_equally_frequent(fast):
    pairs = corpus.draw_split("validation", 320, keep=lambda pair: len(pair.french) % 2 == 0)
    assert all(len(pair.french) % 2 == 0 for pair in pairs)
    counts = Counter(len(pair.english) for pair in pairs)
    assert max(counts.values()) < 20 + 5 * 20**0.5


def test_a_split_can_be_drawn_of_some_lengths_only(fast):
    def decides(pair):
        return len(pair.pronouns) == 1 and pair.pronouns[0].decides

    pairs = corpus.draw_split("validation", 40, keep=decides, lengths=range(9, 13))
    assert {len(pair.english) for pair in pairs} == set(range(9, 13))
    assert {pair.pronouns[0].decides for pair in pairs} == {True}
    assert {corpus.home(pair) for pair in pairs} == {"validation"}


def test_a_split_that_runs_dry_says_so(monkeypatch):
    monkeypatch.setattr(drawing, "_PATIENCE", 100)
    with pytest.raises(ValueError, match=r"count: expected no more than there are \(found 0, "):
        corpus.draw_split("test", 5, keep=lambda pair: False)


# ------------------------------------------------------------------- wording


def words(vocabulary):
    return set(vocabulary.tokens[3:])


def test_a_vocabulary_has_just_the_words_that_are_drawn(drawn):
    english, french = corpus.english_vocabulary(), corpus.french_vocabulary()
    assert {token for pair in drawn for token in pair.english} <= words(english)
    assert {token for pair in drawn for token in pair.french} <= words(french)
    assert 180 <= len(words(english)) <= 270
    assert 200 <= len(words(french)) <= 270
    assert repr(english) == f"Vocabulary(English: {len(english) - 3} words and 3 special tokens)"


def test_encoding_and_decoding(drawn):
    french = corpus.french_vocabulary()
    for pair in drawn[:50]:
        numbers = french.encode(pair.french)
        assert min(numbers) > corpus.END
        assert french.decode(numbers) == pair.french
    assert french.decode([corpus.START, corpus.END]) == ("<start>", "<end>")
    assert "chat" in french
    assert "cat" not in french


def test_the_special_numbers_are_those_of_training():
    assert (corpus.PADDING, corpus.START, corpus.END) == (
        training.PADDING,
        training.START,
        training.END,
    )


def test_an_unknown_word_is_answered_politely():
    english = corpus.english_vocabulary()
    with pytest.raises(ValueError, match=r"the English vocabulary has no 'hores' \(it knows: hor"):
        english.encode(["the", "hores"])
    with pytest.raises(ValueError, match=r"numbers: expected 0 to \d+, got -1"):
        english.decode([-1])
    with pytest.raises(ValueError, match=r"the grammar has no word 'purple'"):
        corpus.translate("the purple cat slept")


@pytest.mark.parametrize(
    ("sentence", "answer"),
    [
        ("", "expected a sentence of the grammar"),
        ("the cat", r'\(understood: "the cat"\)'),
        ("the cat and the dog slept", r'\(understood: "the cat"\)'),
        ("a cats slept", "expected a plural determiner before cats, got 'a'"),
        ("these cat slept", "expected a singular determiner before cat, got 'these'"),
        ("the cats was tired", "expected \"were\", got 'was'"),
        ("a owl slept", "expected \"an\", got 'a'"),
        ("the girl that slept was sad", "expected \"who\", got 'that'"),
        ("the cat did not saw the dog", "understood"),
        ("the cat did not see some dogs", "expected \"any dogs\", got 'some'"),
        ("the cat saw any dogs", "expected \"some dogs\", got 'any'"),
        ("it was tired", "understood"),
        ("the cat saw the dog because it slept", r'"it" that can sleep, got \[.cat., .dog.\]'),
        ("the mat fell because it was tired", r'"it" that can be tired, got \[\]'),
        ("the dress that the girl lost was red", "expected another verb after that, got 'lost'"),
    ],
)
def test_what_is_no_sentence_of_the_grammar_is_refused(sentence, answer):
    with pytest.raises(ValueError, match=answer):
        corpus.translate(sentence)


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (lambda: corpus.generate(-1), "count: expected a number from 0 on, got -1"),
        (lambda: corpus.generate(1, []), "lengths: expected at least one"),
        (lambda: corpus.generate(1, [3]), "lengths: expected numbers from 4 to 40"),
        (lambda: corpus.generate(1, range(5, 50)), "lengths: expected numbers from 4 to 40"),
        (lambda: corpus.draw_split("training"), "name: expected one of train, validation, test"),
        (lambda: corpus.draw_split("test", 1, lengths=[21]), "lengths: expected some of 5 to 20"),
        (lambda: corpus.draw_split("test", 1, lengths=[]), "lengths: expected some of 5 to 20"),
        (lambda: corpus.draw_split("test", -1), "count: expected a number from 0 on, got -1"),
    ],
)
def test_wrong_arguments_are_refused(call, answer):
    with pytest.raises(ValueError, match=answer):
        call()


def test_text_and_tokens():
    tokens = ("the", "girl", "'s", "dog", "did", "not", "sleep")
    assert corpus.tokenize("The girl’s dog didn't sleep.") == tokens
    assert corpus.as_text(tokens) == "the girl's dog did not sleep"
    assert corpus.as_text(("qu'", "il", "n'", "a")) == "qu'il n'a"


# ------------------------------------------------------------------- lexicon


def test_each_kind_of_noun_comes_in_both_genders():
    for tag in "human animal food seat container building place object tool clothing part".split():
        genders = {noun.feminine for noun in lexicon.NOUNS.values() if tag in noun.tags}
        assert genders == {False, True}, tag


def test_each_tag_that_is_asked_for_is_had_by_a_noun():
    had = {tag for noun in lexicon.NOUNS.values() for tag in noun.tags}
    asked = {tag for adjective in lexicon.ADJECTIVES.values() for tag in adjective.fits}
    asked |= {tag for verb in lexicon.VERBS.values() for tag in verb.subjects | verb.objects}
    assert asked <= had
    tools = {tool for verb in lexicon.VERBS.values() for tool in verb.tools}
    assert all("tool" in lexicon.NOUNS[tool].tags for tool in tools)


def test_no_noun_comes_twice_and_nothing_is_black_and_white(drawn):
    for pair in drawn[:3000]:
        nouns = re.findall(r"\((?:N|Attr|Tool|Part) (\w+)\)", pair.parse)
        assert len(nouns) == len(set(nouns))
        said = defaultdict(set)
        for adjective, noun in pair.combinations:
            assert not said[noun] & lexicon.CONTRASTS[adjective]
            said[noun].add(adjective)
        assert all(one != other for one, other in pairwise(pair.english))
