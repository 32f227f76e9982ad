"""The words of the grammar, and what goes with what (bottleneck: The sentences).

Each word stands once, in both languages, with *tags* that say what kind of thing
it is. An adjective lists the tags that it can be said of, a verb those of its
subject and its object. The lists keep the sentences sensible (no chair eats), and
they decide what a pronoun means: in "the cat sat on the mat because it was tired",
only one of the two nouns can be tired.
"""

from dataclasses import dataclass

Tags = frozenset[str]

# A tag of a noun brings others with it: all furniture is a thing.
_IMPLIED = {
    "human": "animate",
    "animal": "animate",
    "pet": "small",
    "food": "small",
    "furniture": "thing",
    "container": "thing",
    "object": "thing small",
    "tool": "thing small",
    "clothing": "thing small",
    "building": "place upright",
    "seat": "surface",
    "raised": "upright",
}

# Shorthands in the lists of adjectives, verbs and prepositions.
_SHORT = {
    "any": "animate food thing place part",
    "lasting": "thing place part",
    "solid": "thing building part tail ears",
    "movable": "food object tool clothing",
    "portable": "animal small container",
}


def _tags_of_noun(text: str) -> Tags:
    """Read the tags of a noun, and add the implied ones."""
    tags = set(text.split())
    while more := {new for tag in tags for new in _IMPLIED.get(tag, "").split()} - tags:
        tags |= more
    return frozenset(tags)


def _tags(text: str) -> Tags:
    """Read a list of tags, of which a noun must have one."""
    return frozenset(" ".join(_SHORT.get(tag, tag) for tag in text.split()).split())


def _rows(table: str) -> list[list[str]]:
    """Cut a table into rows of cells, which stand between bars."""
    return [[cell.strip() for cell in row.split("|")] for row in table.strip().splitlines()]


# ------------------------------------------------------------------------ nouns


@dataclass(frozen=True, eq=False, slots=True)
class Noun:
    """A noun: English and French, singular and plural; "" for a number it does without.

    Its name is its English singular (or plural, if it has no singular).
    """

    name: str
    english: tuple[str, str]
    french: tuple[str, str]
    feminine: bool
    tags: Tags

    @property
    def numbers(self) -> tuple[bool, ...]:
        """Say which numbers there are: ``False`` for singular, ``True`` for plural."""
        return tuple(plural for plural in (False, True) if self.english[plural])


# English | French | gender | tags. Singular and plural; - where there is none. A star
# marks an aspirated h, before which French does as before a consonant (le hibou).
_NOUNS = """
man men         | homme hommes      | m | human adult
woman women     | femme femmes      | f | human adult lady
boy boys        | garçon garçons    | m | human
girl girls      | fille filles      | f | human lady
king -          | roi -             | m | human adult famed
queen -         | reine -           | f | human adult lady famed
cat cats        | chat chats        | m | animal pet tiny tailed eared sitter
dog dogs        | chien chiens      | m | animal pet tailed eared sitter
bird birds      | oiseau oiseaux    | m | animal pet tiny tailed
squirrel -      | écureuil -        | m | animal pet tiny tailed sitter
owl owls        | *hibou *hiboux    | m | animal pet tiny
hedgehog -      | *hérisson -       | m | animal pet tiny
horse horses    | cheval chevaux    | m | animal large tailed eared
mouse mice      | souris souris     | f | animal pet tiny tailed eared sitter
turtle -        | tortue -          | f | animal pet tiny greenish
goose geese     | oie oies          | f | animal pet
frog -          | grenouille -      | f | animal pet tiny sitter greenish
cow cows        | vache vaches      | f | animal large tailed eared
goat -          | chèvre -          | f | animal large eared
apple apples    | pomme pommes      | f | food fruit reddish greenish
pear pears      | poire poires      | f | food fruit greenish
oyster oysters  | huître huîtres    | f | food
pie pies        | tarte tartes      | f | food
cake cakes      | gâteau gâteaux    | m | food
egg eggs        | œuf œufs          | m | food fragile pale
cheese -        | fromage -         | m | food
melon -         | melon -           | m | food fruit greenish heavy
mat -           | tapis -           | m | furniture seat
bed -           | lit -             | m | furniture seat raised heavy
armchair -      | fauteuil -        | m | furniture seat raised heavy
bench -         | banc -            | m | furniture seat raised heavy long
chair -         | chaise -          | f | furniture seat raised heavy
table -         | table -           | f | furniture surface raised heavy long
shelf -         | étagère -         | f | furniture surface heavy
blanket -       | couverture -      | f | furniture seat
basket -        | panier -          | m | container heavy
bag -           | sac -             | m | container heavy closable
drawer -        | tiroir -          | m | container heavy closable
box -           | boîte -           | f | container heavy closable
suitcase -      | valise -          | f | container heavy closable
wardrobe -      | armoire -         | f | container heavy closable upright
garden -        | jardin -          | m | place goal famed
castle -        | château -         | m | place building goal famed
hotel -         | hôtel -           | m | place building goal famed public
shed -          | *hangar -         | m | place building goal
house -         | maison -          | f | place building
kitchen -       | cuisine -         | f | place room
church -        | église -          | f | place building goal famed public
forest -        | forêt -           | f | place famed public
book -          | livre -           | m | object heavy
toy -           | jouet -           | m | object fragile
lamp -          | lampe -           | f | object fragile heavy
clock -         | horloge -         | f | object fragile heavy
key -           | clé -             | f | object tool
knife -         | couteau -         | m | tool long
stick -         | bâton -           | m | tool long
brush -         | brosse -          | f | tool
axe -           | *hache -          | f | tool heavy
hat -           | chapeau -         | m | clothing
scarf -         | écharpe -         | f | clothing long
dress -         | robe -            | f | clothing long ladies
tail -          | queue -           | f | tail long
- ears          | - oreilles        | f | ears
door -          | porte -           | f | part closable heavy
roof -          | toit -            | m | part
"""


def _noun(english: str, french: str, gender: str, tags: str) -> Noun:
    singular, plural = (word.strip("-") for word in english.split())
    forms = tuple(word.strip("-*") for word in french.split())
    return Noun(singular or plural, (singular, plural), forms, gender == "f", _tags_of_noun(tags))


NOUNS = {noun.name: noun for noun in (_noun(*row) for row in _rows(_NOUNS))}


def noun_categories(noun: Noun) -> frozenset[str]:
    """Return the categories of the grammar that a noun can fill.

    Of the parts, "the roof" is always that of something; a door can stand alone.
    """
    part = noun.tags & {"part", "tail", "ears"}
    fits = {
        "N": not part or "closable" in noun.tags,
        "Attr": part or "clothing" in noun.tags,
        "Tool": "tool" in noun.tags,
        "Part": "part" in noun.tags,
    }
    return frozenset(category for category, fit in fits.items() if fit)


ASPIRATED = frozenset(word[1:] for word in _NOUNS.split() if word.startswith("*"))

# ------------------------------------------------------------------- adjectives


@dataclass(frozen=True, eq=False, slots=True)
class Adjective:
    """An adjective.

    Attributes
    ----------
    name : str
        The English word.
    french : tuple of str
        Masculine and feminine singular, masculine and feminine plural.
    vowel : str
        The masculine singular before a vowel (``vieil``), or "".
    place : str
        Where French puts it: ``before`` or ``after`` the noun, or "" if it is
        never beside one.
    predicate, gradable : bool
        Whether it can follow "was", and "very".
    fits : Tags
        The tags of the nouns that it can be said of.
    idiom : str
        ``avoir`` if French has it and is not it (avoir faim); ``en`` if French is
        *in* it (en colère); else "".
    otherwise : Adjective or None
        The word that French uses instead for some nouns (gros chat, grand château).
    """

    name: str
    french: tuple[str, str, str, str]
    vowel: str
    place: str
    predicate: bool
    gradable: bool
    fits: Tags
    idiom: str = ""
    otherwise: "Adjective | None" = None

    def beside(self, noun: Noun) -> "Adjective":
        """Return the adjective that French uses for this noun."""
        return self.otherwise if self.otherwise and self.otherwise.fits & noun.tags else self

    def suits(self, noun: Noun) -> bool:
        """Say whether a noun can have this quality."""
        return bool(self.fits & noun.tags)


def inflect(masculine: str) -> tuple[str, str, str, str]:
    """Make the four forms of a regular French adjective or participle."""
    feminine = masculine if masculine.endswith("e") else masculine + "e"
    plural = masculine if masculine[-1] in "sx" else masculine + "s"
    return masculine, feminine, plural, feminine + "s"


# English | French | place | manner | said of. Irregular ones have all four forms, and
# some a fifth, before a vowel. Manner: "was" it can follow, "very" even with this.
_ADJECTIVES = """
small       | petit                                | before | very | any
big         | grand                                | before | very | any ears
old         | vieux vieille vieux vieilles vieil   | before | very | adult animal lasting
young       | jeune                                | before | very | animate
beautiful   | beau belle beaux belles bel          | before | very | any
new         | nouveau nouvelle nouveaux nouvelles nouvel | before |      | thing building
long        | long longue longs longues            | before | very | long ears
black       | noir                                 | after  | was  | animal solid
white       | blanc blanche blancs blanches        | after  | was  | animal solid pale
red         | rouge                                | after  | was  | thing part reddish
green       | vert                                 | after  | was  | thing part greenish
tired       | fatigué                              | after  | very | animate
sad         | triste                               | after  | very | animate
happy       | heureux heureuse heureux heureuses   | after  | very | animate
sick        | malade                               | after  | very | animate
hungry      | avoir faim                           |        | very | animate
angry       | en colère                            |        | very | animate
fresh       | frais fraîche frais fraîches         | after  | very | food
delicious   | délicieux délicieuse délicieux délicieuses | after  | was  | food
ripe        | mûr                                  | after  | very | fruit
comfortable | confortable                          | after  | very | seat
empty       | vide                                 | after  | was  | container building room
closed      | fermé                                | after  | was  | closable building
famous      | célèbre                              | after  | very | famed
heavy       | lourd                                | after  | very | heavy large
fragile     | fragile                              | after  | very | fragile
dirty       | sale                                 | after  | very | animate lasting fruit pale
"""


def _adjective(english: str, french: str, place: str, manner: str, fits: str) -> Adjective:
    idiom, *words = french.split() if not place else ("", *french.split())
    forms = (words[0],) * 4 if idiom else inflect(words[0]) if len(words) == 1 else tuple(words[:4])
    otherwise = None
    if english == "big":
        gros = ("gros", "grosse", "gros", "grosses")
        otherwise = Adjective("big", gros, "", place, True, True, _tags("animal food"))
    return Adjective(
        english,
        forms,
        "".join(words[4:]),
        place,
        predicate=bool(manner),
        gradable=manner == "very",
        fits=_tags(fits),
        idiom=idiom,
        otherwise=otherwise,
    )


ADJECTIVES = {row[0]: _adjective(*row) for row in _rows(_ADJECTIVES)}

# What is not said of one thing in one sentence: black and white, and nothing twice.
_CONTRASTS = ("small big", "old young new", "black white red green", "sad happy")
CONTRASTS = {
    name: frozenset({name}.union(*(row.split() for row in _CONTRASTS if name in row.split())))
    for name in ADJECTIVES
}

# ------------------------------------------------------------------------ verbs


@dataclass(frozen=True, eq=False, slots=True)
class Verb:
    """A verb in the past.

    What happened stands in the passé composé (a vu, est tombé, s'est assis); what was
    going on, in the imparfait (regardait).

    Attributes
    ----------
    name, past : str
        The bare form, which follows "did not", and the past form.
    auxiliary : str
        ``avoir``, ``être``, or ``se`` (être and s'); "" for the imparfait.
    french : tuple of str
        The participle's forms, as an adjective's; of the imparfait, singular and
        plural.
    relative : int
        How often it stands in "the mouse that the cat saw", compared with others.
    frame : str
        What follows: ``t`` an object, ``p`` an object after "for", ``d`` an object
        and a receiver, ``g`` a goal, ``i`` nothing.
    subjects, objects : Tags
        What they may be.
    figure : str
        Whose place a phrase such as "in the garden" says: the ``subject``'s or the
        ``object``'s.
    where : frozenset of str
        The prepositions of such a phrase.
    tools : frozenset of str
        The nouns that may follow "with".
    """

    name: str
    past: str
    auxiliary: str
    french: tuple[str, ...]
    relative: int
    frame: str
    subjects: Tags
    objects: Tags
    figure: str
    where: frozenset[str]
    tools: frozenset[str]


# Bare form and past | auxiliary | French | frame | subjects | objects | whose place, and
# the prepositions | tools. A verb with stars at its frame can follow "that the cat",
# where its French participle has a gender and a number; more stars, more often.
_VERBS = """
see saw        | avoir | vu        | t* | animate | any | object anywhere |
find found     | avoir | trouvé    | t* | animate | portable | object anywhere |
chase chased   | avoir | poursuivi | t** | animate | animal | subject in behind near | stick
eat ate        | avoir | mangé     | t**** | animate | food | subject anywhere | knife
buy bought     | avoir | acheté    | t* | human | portable furniture | subject near |
hide hid       | avoir | caché     | t | human pet | movable | object in under behind |
lose lost      | avoir | perdu     | t | human | object tool clothing | object in behind near |
wash washed    | avoir | lavé      | t | human | animal fruit clothing | subject in near | brush
break broke    | avoir | cassé     | t | animate | fragile | subject in behind near | axe stick
open opened    | avoir | ouvert    | t | human | closable | | knife key axe
love loved     |       | aimait aimaient | t* | animate | animate place clothing | |
watch watched  |       | regardait regardaient | t* | animate | animate | object anywhere |
look looked    | avoir | cherché   | p | animate | human portable | object in under behind near |
give gave      | avoir | donné     | d | human | food object clothing | |
sleep slept    | avoir | dormi     | i | animate | | subject anywhere |
run ran        | avoir | couru     | i | animate | | subject in behind near front |
jump jumped    | avoir | sauté     | i | animate | | subject in on behind |
laugh laughed  | avoir | ri        | i | human | | subject in behind |
sit sat        | se    | assis     | i | human sitter | | subject anywhere |
fall fell      | être  | tombé     | i | portable human furniture part | | subject in on near |
arrive arrived | être  | arrivé    | i | animate | | subject near front |
leave left     | être  | parti     | i | animate | | |
go went        | être  | allé      | g | animate | goal | |
"""


def _verb(english: str, auxiliary: str, french: str, frame: str, *cells: str) -> Verb:
    bare, past = english.split()
    subjects, objects, places, tools = cells
    figure, *where = places.replace("anywhere", "in on under behind near front").split() or [""]
    forms = inflect(french) if auxiliary else tuple(french.split())
    frames = (_tags(subjects), _tags(objects), figure, frozenset(where), frozenset(tools.split()))
    return Verb(bare, past, auxiliary, forms, frame.count("*"), frame.strip("*"), *frames)


VERBS = {verb.name: verb for verb in (_verb(*row) for row in _rows(_VERBS))}

# ----------------------------------------------------------------- small words

# Preposition (front stands for "in front of") | French | the place | what can be there.
_PLACES = """
in     | dans     | place                     | animate thing food
in     | dans     | container                 | tiny movable
on     | sur      | seat                      | human
on     | sur      | surface                   | pet movable
under  | sous     | raised                    | pet movable
behind | derrière | upright animate container | animate thing food
near   | près de  | upright animate container place part | animate thing food
front  | devant   | upright animate part      | animate thing food
"""
PREPOSITIONS = {row[0]: tuple(row[1].split()) for row in _rows(_PLACES)}
_PLACE_TAGS = [(row[0], _tags(row[2]), _tags(row[3])) for row in _rows(_PLACES)]


def grounds(preposition: str, figure: Noun) -> Tags:
    """Collect the tags of the nouns that ``figure`` can be in, on, under, ..."""
    fitting = [
        ground
        for name, ground, figures in _PLACE_TAGS
        if name == preposition and figures & figure.tags
    ]
    return frozenset().union(*fitting)


# English: French masculine and feminine singular, plural; "" where it does not exist.
# What elision and contraction make of them (l', d', du, cet) is not said here.
DETERMINERS = {
    "the": (("le", "la"), "les"),
    "a": (("un", "une"), ""),
    "this": (("ce", "cette"), ""),
    "these": (("", ""), "ces"),
    "some": (("", ""), "des"),
    "any": (("", ""), "de"),
    "two": (("", ""), "deux"),
    "many": (("", ""), "beaucoup de"),
}
