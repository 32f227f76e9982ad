"""The panel of real text: which messages are taken, and what is held out."""

import numpy as np
import pytest

import real_text
from shared import messages
from shared.messages import LENGTHS, Message, Nearest


def sentence(length: int, first: str = "w") -> Message:
    """Make a message whose words stand in no other of another beginning."""
    words = [f"{first}{chr(97 + number)}" for number in range(length)]
    return Message(" ".join(words), " ".join(f"le{word}" for word in words))


@pytest.mark.parametrize(
    ("message", "taken"),
    [
        (sentence(5), True),
        (sentence(20), True),
        (sentence(4), False),
        (sentence(21), False),
        (Message("one two three four five", "un deux"), False),
        (Message("one two three four five", "un deux trois"), True),
        (Message("one two three\nfour five", "un deux trois"), False),
        (Message("one two three four five", "un deux\ntrois"), False),
        (Message("%s %s %s %s a: 00000000", "%s %s %s %s un"), False),
        (Message("one two three four five", "one two three four five"), False),
    ],
)
def test_a_message_is_a_translated_line(message, taken):
    assert messages.is_sentence(message) == taken


def test_nearest_shares_the_largest_part_of_the_words():
    texts = ["the file is open", "No such file: %s", "a b c d e f g"]
    parts = Nearest(texts).similarities("no such FILE: %5d")
    np.testing.assert_allclose(parts, [1 / 6, 1, 0])
    assert (Nearest(texts).similarities("") == 0).all()


def test_what_is_near_to_a_held_out_message_is_not_trained_on():
    firsts = [chr(97 + i) + chr(97 + j) for i in range(26) for j in range(4)]
    different = [sentence(5 + number % 16, first) for number, first in enumerate(firsts)]
    # Each again, with one word more, and again with only the French alike.
    longer = [Message(f"{m.english} more", f"{m.french} plus") for m in different if m.length < 20]
    same_french = [Message(f"q{m.english.replace(' ', ' q')}", m.french) for m in different]
    found = messages.split([*different, *longer, *same_french], held_out=3)
    assert len(found.test) == len(found.validation) == 3 * len(LENGTHS)
    held_out = {*found.test, *found.validation}
    assert len(held_out) == 6 * len(LENGTHS)
    assert len(found.train) > 50
    for language in (0, 1):
        trained = Nearest([message[language] for message in found.train])
        for message in held_out:
            assert trained.similarities(message[language]).max() < messages.NEAR


def test_models_have_as_many_parameters():
    fixed, additive = map(real_text.parameters_of, real_text.configs(real_text.PIECES).values())
    assert abs(fixed / additive - 1) < 0.002


def test_without_debian_the_packages_are_asked_for_in_vain(monkeypatch, tmp_path):
    monkeypatch.setattr(messages.shutil, "which", lambda name: None)
    with pytest.raises(RuntimeError, match="there is no apt-get here"):
        messages.fetch(["dpkg"], tmp_path)


def test_the_best_trial_has_the_highest_mean_over_lengths():
    rows = [
        {"arm": f"fixed: {trial}", "token_accuracy": str(accuracy)}
        for trial, pair in zip(real_text.TRIALS, ((1, 0), (0.6, 0.6), (0, 0), (0, 0)), strict=True)
        for accuracy in pair
    ]
    assert real_text.best_trial("fixed", rows) == real_text.TRIALS[1]
    with pytest.raises(SystemExit, match="run its trials first"):
        real_text.best_trial("additive", rows)
