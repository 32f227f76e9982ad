"""The rules: each says the same thing in English and in French (bottleneck: The sentences).

A rule ``E -> NP VP | NP VP | 1`` reads: an event (E) is a noun phrase and a verb
phrase, in English and in French; and its weight is 1, compared with the other rules
for E. Words with a capital are categories. English words stand for themselves.

On the French side, ``et:and`` is the French word *et*, which translates the English
*and* of the same rule (a *sure* link of the alignment). ``Vt.finite`` and
``Vt.participle`` are the two parts of a French verb. ``Vt0.finite:did`` says that the
finite part may also stand for *did* (a *possible* link); ``devant:front,in,of`` that
*devant* surely translates *front*, and possibly *in* and *of*. ``Def`` is the definite
article of the noun beside it.

The categories of phrases, from the whole to the parts: S sentence; R what follows *and*
or *but*; B clause with what depends on it; C clause; E event; P clause about a pronoun,
and Q event about one; State what something was, and Pred the quality; VP verb phrase; G
verb with its negation (one category for each frame: Gt, Gi, ...); Where place; Inst tool;
NP noun phrase, NP1 one without relative clause, NP0 with nothing after its noun, NPof a
part of something; Rel relative clause, and VP0 its short verb phrase; Bar noun with its
adjectives. A star stands for several letters: ``G* -> V*`` for ``Gt -> Vt`` and others.

The categories of words end the derivation:

====  ==========================  =====  ==============================
N     noun                        A1     adjective before a French noun
Attr  noun after *with*: a part   A2     adjective after a French noun
Tool  noun after *with*: a tool   A      adjective after *was*
Part  noun before *of*            Vt     verb in the past; Vt0: its bare form
Det   determiner                  Vi...  other frames: see the lexicon
Prep  preposition                 Be     *was* or *were*
Pron  *it, they, he, she*         Who    *who* or *that*
====  ==========================  =====  ==============================
"""

import re
from dataclasses import dataclass
from functools import cache

_RULES = """
S     -> B                 | B                                             | 55
S     -> B and R           | B et:and R                                    | 28
S     -> B but R           | B mais:but R                                  | 17
R     -> S                 | S                                             | 60
R     -> P                 | P                                             | 40
B     -> C                 | C                                             | 36
B     -> E because C       | E parce:because que:because C                 | 10
B     -> E because P       | E parce:because que:because P                 | 45
B     -> C when E          | C quand:when E                                | 8
B     -> E when Q          | E quand:when Q                                | 7

C     -> E                 | E                                             | 80
C     -> NP State          | NP State                                      | 14
C     -> NPof State        | NPof State                                    | 2
C     -> NP Be Where       | NP Be Where                                   | 5
C     -> NP Be not Where   | NP ne:not Be pas:not Where                    | 1
E     -> NP VP             | NP VP                                         | 99
E     -> NPof Gi           | NPof Gi                                       | 1
P     -> Pron State        | Pron State                                    | 85
P     -> Q                 | Q                                             | 15
Q     -> Pron VP           | Pron VP                                       | 1

State -> Be Pred           | Be Pred                                       | 80
State -> Be not Pred       | ne:not Be pas:not Pred                        | 20
Pred  -> A                 | A                                             | 75
Pred  -> very A            | très:very A                                   | 25

VP    -> Gi                | Gi                                            | 12
VP    -> Gi Where          | Gi Where                                      | 26
VP    -> Gt NP             | Gt NP                                         | 23
VP    -> Gt NP1 Where      | Gt NP1 Where                                  | 25
VP    -> Gt NPof           | Gt NPof                                       | 2
VP    -> Gp NP             | Gp NP                                         | 3
VP    -> Gp NP1 Where      | Gp NP1 Where                                  | 3
VP    -> Gt NP1 with Inst  | Gt NP1 avec:with Inst                         | 6
VP    -> Gd NP1 to NP0     | Gd NP1 à:to NP0                               | 4
VP    -> Gg to NP1         | Gg à:to NP1                                   | 4
Where -> Prep NP0          | Prep NP0                                      | 87
Where -> Prep NPof         | Prep NPof                                     | 3
Where -> in front of NP0   | devant:front,in,of NP0                        | 10
Inst  -> Det Bar(Tool)     | Det Bar(Tool)                                 | 1

G*    -> V*                | V*.finite V*.participle                       | 76
G*    -> did not V*0       | ne:not V*0.finite:did pas:not V*0.participle  | 16
G*    -> never V*          | ne:never V*.finite jamais:never V*.participle | 8
Gp    -> Vp for            | Vp.finite Vp.participle:for                   | 76
Gp    -> did not Vp0 for   | ne:not Vp0.finite:did pas:not Vp0.participle:for | 16
Gp    -> never Vp for      | ne:never Vp.finite jamais:never Vp.participle:for | 8

NP    -> NP1               | NP1                                           | 72
NP    -> NP0 Rel           | NP0 Rel                                       | 28
NP1   -> NP0               | NP0                                           | 80
NP1   -> NP0 with the Bar(Attr) | NP0 à:with Def:the Bar(Attr)             | 7
NP1   -> NP0 's Bar(N)     | Def:'s? Bar(N) de:'s NP0                      | 9
NP0   -> Det Bar(N)        | Det Bar(N)                                    | 1
NPof  -> Det Part of NP0   | Det Part de:of NP0                            | 1
Rel   -> Who VP0           | Who VP0                                       | 44
Rel   -> Who State         | Who State                                     | 15
Rel   -> that NP0 Gt       | que:that NP0 Gt                               | 41
VP0   -> Gi                | Gi                                            | 20
VP0   -> Gi Where          | Gi Where                                      | 30
VP0   -> Gt NP0            | Gt NP0                                        | 46
VP0   -> Gp NP0            | Gp NP0                                        | 4

Bar(*) -> *                | *                                             | 62
Bar(*) -> A1 *             | A1 *                                          | 17
Bar(*) -> A2 *             | * A2                                          | 17
Bar(*) -> A1 A2 *          | A1 * A2                                       | 4
"""

# What a star stands for, by the beginning of the line.
_STARS = {"G": ("t", "d", "i", "g"), "Bar": ("N", "Attr", "Tool")}


@dataclass(frozen=True, slots=True)
class Slot:
    """One place on the French side of a rule.

    Attributes
    ----------
    word : str
        The French word, or "" if the place is filled by a child.
    child : int
        Which item of the English side fills it, or -1 if it is a word.
    part : str
        ``finite`` or ``participle`` of a verb; else "".
    sure, possible : tuple of int
        The items of the English side that the word translates, beside the child.
    """

    word: str
    child: int
    part: str
    sure: tuple[int, ...]
    possible: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A rule: what ``symbol`` can be, in English and in French, and how often."""

    symbol: str
    english: tuple[str, ...]
    french: tuple[Slot, ...]
    weight: float
    text: str

    def __repr__(self) -> str:
        return self.text


def is_word(item: str) -> bool:
    """Say whether an item of a rule is an English word, and not a category."""
    return not item[0].isupper()


def _slot(item: str, english: tuple[str, ...]) -> Slot:
    name, _, source = item.partition(":")
    sources = tuple(english.index(word) for word in source.rstrip("?").split(",") if word)
    name, _, part = name.partition(".")
    if name in english:
        return Slot("", english.index(name), part, (), sources)
    if source.endswith("?"):
        return Slot(name, -1, "", (), sources)
    return Slot(name, -1, "", sources[:1], sources[1:])


@cache
def rules() -> dict[str, tuple[Rule, ...]]:
    """Read the table: for each category, its rules."""
    table: dict[str, list[Rule]] = {}
    for line in _RULES.strip().splitlines():
        if not line:
            continue
        stars = _STARS[re.match("[A-Z][a-z]*", line)[0]] if "*" in line else ("",)
        for star in stars:
            left, french, weight = (cell.strip() for cell in line.replace("*", star).split("|"))
            symbol, _, right = (cell.strip() for cell in left.partition("->"))
            english = tuple(right.split())
            slots = tuple(_slot(item, english) for item in french.split())
            text = f"{symbol} -> {right} | {french}"
            table.setdefault(symbol, []).append(Rule(symbol, english, slots, float(weight), text))
    return {symbol: tuple(options) for symbol, options in table.items()}
