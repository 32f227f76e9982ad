"""Draw pictures of real models that show too much, and test each.

An experiment of the chapter *What attention shows, and what it does not*, with the models that
``make models`` fetches. The pairs of sentences stand in ``minimal_pairs.csv``. It writes

    pictures.csv    one row for each part, measure and place; the value is a number or a text, a
                    mean over so many (`count`)

    .venv/bin/python experiments/pictures.py            everything, six minutes of processor time
    .venv/bin/python experiments/pictures.py minilm     one part, in the same file

The parts, and what they measure (layers and heads are counted from 0):

minilm
    row             weights from *it* in the famous sentence, with another adjective, and with the
                    nouns turned, of the head that its finder would show; "gap": what each head
                    gives to *cat* and not to *mat* there
    right           "KIND QUERY>FRAME HALF HEAD": in what share of the sentences the word that is
                    meant gets more weight than the other. A frame is the sentence, a bare list of
                    its words (also turned round), or the sentence with one more word in it
    flip            in what share of the pairs the preference moves the right way
    shift           by how much it moves
    best, null      "MEASURE KIND QUERY>FRAME": the best of all heads, and how often the best has a
                    value if the versions of each pair are swapped at random; "chance": how often
                    at least the found one; "heads above": 95 % of these
    before          weight on the token before *with*, in the sentence and with one more word there
smollm2
    right, flip ... the same of the Llama, from the last word, for the heads that are the best
    row             in how many pairs the row of *it* is the same in both versions, to the last bit
patching before, patching after
    answer          logit of the first noun over the second after the question what *it* is, in
                    both versions of a pair, by its number in this half
    noun, word      the share of the way to the answer of a run with another noun (or the other last
                    word) that the stream of one position brings with it, after so many layers;
                    "order": of positions and stages in these rows
    swap            the margin before that swap, and in the other run
    cut             the same share, if edges are cut instead
induction
    score           weight on the token that came after the same one, in repeated random tokens
    repeat, right   loss and accuracy on the repetition without some heads; "plain": loss of plain
                    texts; "heads": which; "any" and "same layers" are drawn, and are not among the
                    six best
marian
    link            in what share of the nouns a head of the cross-attention looks hardest at the
                    English of the noun that is written; "sharpness": its mean largest weight
translator
    link            the same of the translator that was trained for the book, "rate": its alignment
                    error rate against the grammar

Computed in float32 on one thread.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import common
from shared import decoder_pictures, head_pictures, repeats, word_links
from shared.first_token import Rows
from shared.minimal_pairs import HALVES, read_pairs
from shared.plain_texts import TEXTS
from shared.read_models import marian, minilm, smollm2

OUTPUT = Path(__file__).with_suffix(".csv")
QUICK = 2  # pairs of each half


def measure_minilm(rows: Rows, some: int | None) -> None:
    """Measure what heads of the BERT give to one of two words."""
    model, tokenizer = minilm()

    def pieces_of(text: str) -> list[str]:
        return [tokenizer.pieces[token] for token in tokenizer.encode_sentence(text)]

    reader = model, pieces_of, tokenizer.encode_sentence
    head_pictures.famous(rows, *reader)
    for kind, query, frames in head_pictures.QUESTIONS:
        head_pictures.ask(rows, *reader, kind, query, frames, some)
    head_pictures.token_before(rows, *reader, TEXTS[:some], some)


def measure_smollm2(rows: Rows, some: int | None) -> None:
    """Measure what heads of the Llama give to words, and the rows of *it*."""
    model, tokenizer = smollm2()
    decoder_pictures.rows_of_it(rows, model, tokenizer, read_pairs("it")[:some])
    ask = partial(head_pictures.ask, rows, model, tokenizer.cut, tokenizer.encode)
    ask("with", "", ("sentence", "list"), some, only_best=True)


def measure_patching(half: str, rows: Rows, some: int | None) -> None:
    """Ask the Llama what *it* is, and where its answers come from."""
    decoder_pictures.maps(rows, *smollm2(), read_pairs("it", half)[:some])


def measure_induction(rows: Rows, some: int | None) -> None:
    """Take the heads away that repeat, and others."""
    model, tokenizer = smollm2()
    plain = [tokenizer.encode(text) for text in TEXTS[: repeats.PLAIN]]
    sizes = repeats.SIZES[:1] if some else repeats.SIZES
    repeats.measure_induction(rows, model, len(tokenizer.pieces), plain[:some], sizes, some)


def measure_marian(rows: Rows, some: int | None) -> None:
    """Ask which heads of a translator link nouns to nouns, if they were trained to."""
    word_links.measure_marian(rows, marian(), some)


def measure_translator(rows: Rows, some: int | None) -> None:
    """Ask the same of the book's own translator, which was not."""
    word_links.measure_translator(rows, common.WEIGHTS / "translator-transformer.safetensors", some)


PARTS: dict[str, Callable[[Rows, int | None], None]] = {
    "minilm": measure_minilm,
    "smollm2": measure_smollm2,
    **{f"patching {half}": partial(measure_patching, half) for half in HALVES},
    "induction": measure_induction,
    "marian": measure_marian,
    "translator": measure_translator,
}


@common.threads(1)
def measure(part: str, asked: common.Asked = common.PLAIN) -> list[dict]:
    """Measure one part."""
    rows = Rows(part)
    PARTS[part](rows, QUICK if asked.quick else None)
    return list(rows)


def main(argv: list[str] | None = None) -> None:
    """Measure the parts that were asked for, and file the rows as they come."""
    asked = common.arguments(__file__, __doc__, PARTS, argv=argv)
    jobs = [(part,) for part in asked.arms]
    common.run(measure, jobs, asked, [OUTPUT], ("model",), [(part,) for part in PARTS])


if __name__ == "__main__":
    main()
