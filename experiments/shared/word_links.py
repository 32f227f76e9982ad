"""Which heads of a translator's cross-attention link a noun to its translation.

The same English sentences, of the book's grammar, are read by Marian's translator, which wrote a
Portuguese translation before, and by the book's own, with the French that the grammar says. For
French the grammar knows the links; for Portuguese a small dictionary of nouns does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from attention import corpus, transformer
from attention.interventions import cross_weights
from attention.pretrained import marian
from attention.pretrained.files import path_of
from attention.pretrained.marian_model import SHIFT
from attention.pretrained.translator import Marian
from attention.tokens import END
from attention.training import alignment_error_rate, make_batch, strongest_links
from shared.first_token import Rows
from shared.head_pictures import names_of

SENTENCES = 60  # of the test sentences of the grammar
# Of Marian: whose first head is taught to align, if any is. The file of a model that was not taught
# has it, too.
SETTING = "transformer-guided-alignment-layer"
NEW_WORD = "▁"
# English words of the grammar, and what they may be in Portuguese.
PORTUGUESE = {
    english: tuple(portuguese.split("/"))
    for english, portuguese in (
        entry.split()
        for entry in """
        man homem; men homens; woman mulher; women mulheres; boy menino/rapaz; boys meninos/rapazes;
        girl menina/garota; girls meninas/garotas; king rei; queen rainha; cat gato; cats gatos;
        dog cão/cachorro; dogs cães/cachorros; bird pássaro; birds pássaros; squirrel esquilo;
        owl coruja; owls corujas; horse cavalo; horses cavalos; mouse rato; mice ratos;
        turtle tartaruga; goose ganso; geese gansos; frog sapo; cow vaca; cows vacas; goat cabra;
        apple maçã; apples maçãs; pear pêra/pera; pears pêras/peras; oyster ostra; oysters ostras;
        pie torta; pies tortas; cake bolo; cakes bolos; egg ovo; eggs ovos; cheese queijo;
        melon melão; mat tapete; bed cama; armchair poltrona; bench banco; chair cadeira;
        table mesa; shelf prateleira; blanket cobertor; basket cesta/cesto; bag bolsa/saco/sacola;
        drawer gaveta; box caixa; suitcase mala; garden jardim; castle castelo; hotel hotel;
        shed galpão/barracão; house casa; kitchen cozinha; church igreja; forest floresta;
        book livro; toy brinquedo; lamp lâmpada; clock relógio; key chave; knife faca;
        stick vara/bastão/pau; brush escova/pincel; axe machado; hat chapéu; scarf cachecol/lenço;
        dress vestido; door porta; roof telhado/teto
        """.split(";")
    )
}


@dataclass(frozen=True)
class Noun:
    """A noun that is written: its row, and the columns of its English, in tokens."""

    row: int
    columns: tuple[int, ...]


def words_of(pieces: Sequence[str]) -> list[tuple[str, tuple[int, ...]]]:
    """Join pieces to words, in small letters: each with the places of its pieces."""
    words: list[tuple[str, list[int]]] = []
    for place, piece in enumerate(pieces):
        if piece.startswith(NEW_WORD) or not words:
            words.append(("", []))
        word, places = words.pop()
        words.append((word + piece.removeprefix(NEW_WORD), [*places, place]))
    return [(word.lower().strip(".,"), tuple(places)) for word, places in words]


def nouns_by_dictionary(source: Sequence[str], target: Sequence[str]) -> Iterator[Noun]:
    """Find the nouns of a translation whose English stands in the sentence, and once."""
    english = words_of(source)
    for word, places in words_of(target):
        fitting = [columns for noun, columns in english if word in PORTUGUESE.get(noun, ())]
        if len(fitting) == 1:
            yield Noun(places[0], fitting[0])


def nouns_by_grammar(pair: corpus.Pair) -> Iterator[Noun]:
    """Find the nouns of the French sentence, those only that the dictionary has in English."""
    for source, target in sorted(pair.sure):
        if pair.english[source] in PORTUGUESE:
            yield Noun(target, (source,))


def score_heads(rows: Rows, weights: Sequence[Tensor], nouns: Sequence[Sequence[Noun]]) -> None:
    """Note how often each head, and the mean of all, looks hardest at the English of a noun.

    ``weights`` are (layers, heads, target, source), one tensor for each sentence.
    """
    hits, largest, mean_hits = [], [], []
    for each, found in zip(weights, nouns, strict=True):
        for noun in found:
            row = each[:, :, noun.row]  # (layers, heads, source)
            english = torch.tensor(noun.columns)
            hits.append(torch.isin(row.argmax(-1), english))
            largest.append(row.max(-1).values)
            mean_hits.append(torch.isin(row.mean((0, 1)).argmax(), english).item())
    scores, sharp = torch.stack(hits).double().mean(0), torch.stack(largest).mean(0)
    for name, hit, top in zip(
        names_of(scores.shape), scores.flatten().tolist(), sharp.flatten().tolist(), strict=True
    ):
        rows.add("link", name, hit, len(hits))
        rows.add("sharpness", name, top, len(hits))
    rows.add("link", "mean", sum(mean_hits) / len(hits), len(hits))


def measure_marian(rows: Rows, translates: Marian, some: int | None = None) -> None:
    """Let Marian's translator translate, and look where its nouns come from."""
    _, metadata = marian.read(path_of("marian", "model.bin"))
    rows.add("config", SETTING, metadata["config"].get(SETTING, "nothing"))
    pairs = corpus.draw_split("test", SENTENCES)[:some]
    sentences = [corpus.as_text(pair.english) for pair in pairs]
    pieces = translates.tokenizer.pieces
    weights, nouns = [], []
    for sentence, translation in zip(sentences, translates.translate(sentences), strict=True):
        source, target = ([*translates.encode(text), END] for text in (sentence, translation))
        tensors = torch.tensor([source]), torch.tensor([target])
        weights.append(cross_weights(translates.model, *tensors)[0])
        names = [[pieces[number - SHIFT] for number in text[:-1]] for text in (source, target)]
        nouns.append([*nouns_by_dictionary(*names)])
    score_heads(rows, weights, nouns)


def measure_translator(rows: Rows, path: Path, some: int | None = None) -> None:
    """Let the book's translator read the same sentences with their French."""
    model = transformer.load(path)
    pairs = corpus.draw_split("test", SENTENCES)[:some]
    weights = own_weights(model, pairs)
    score_heads(rows, weights, [[*nouns_by_grammar(pair)] for pair in pairs])
    gold = [pair.sure for pair in pairs], [pair.possible for pair in pairs]
    for number, name in enumerate(names_of(weights[0].shape[:2])):
        found = [
            strongest_links(each.flatten(0, 1)[number], len(pair.english), len(pair.french))
            for each, pair in zip(weights, pairs, strict=True)
        ]
        rows.add("rate", name, alignment_error_rate(found, *gold), len(pairs))


def own_weights(model: nn.Module, pairs: Sequence[corpus.Pair]) -> Tensor:
    """Read pairs: the weights (sentences, layers, heads, target, source)."""
    english, french = corpus.english_vocabulary(), corpus.french_vocabulary()
    numbers = [(english.encode(pair.english), french.encode(pair.french)) for pair in pairs]
    batch = make_batch(numbers)
    return cross_weights(model, batch.source, batch.target)
