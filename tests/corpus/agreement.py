"""A checker of French that knows nothing of the grammar it checks.

It reads strings, with a lexicon of its own, and answers with a list of mistakes. It
goes through a sentence once, from left to right, as a reader does: a subject, its verb,
what follows; and asks at each word whether it has the right form there.
"""

# ---------------------------------------------------------------- the lexicon

MASCULINE = """
homme/hommes garçon/garçons roi chat/chats chien/chiens oiseau/oiseaux écureuil
hibou/hiboux hérisson cheval/chevaux gâteau/gâteaux œuf/œufs fromage melon tapis lit
fauteuil banc panier sac tiroir jardin château hôtel hangar livre jouet couteau bâton
chapeau toit
"""
FEMININE = """
femme/femmes fille/filles reine souris/souris tortue oie/oies grenouille vache/vaches
chèvre pomme/pommes poire/poires huître/huîtres tarte/tartes chaise table étagère
couverture boîte valise armoire maison cuisine église forêt lampe horloge clé brosse
hache écharpe robe queue _/oreilles porte
"""
# Four forms, and where the adjective stands. Where forms are alike they are repeated.
ADJECTIVES = """
petit petite petits petites before
grand grande grands grandes before
gros grosse gros grosses before
vieux vieille vieux vieilles before
jeune jeune jeunes jeunes before
beau belle beaux belles before
nouveau nouvelle nouveaux nouvelles before
long longue longs longues before
noir noire noirs noires after
blanc blanche blancs blanches after
rouge rouge rouges rouges after
vert verte verts vertes after
fatigué fatiguée fatigués fatiguées after
triste triste tristes tristes after
heureux heureuse heureux heureuses after
malade malade malades malades after
frais fraîche frais fraîches after
délicieux délicieuse délicieux délicieuses after
mûr mûre mûrs mûres after
confortable confortable confortables confortables after
vide vide vides vides after
fermé fermée fermés fermées after
célèbre célèbre célèbres célèbres after
lourd lourde lourds lourdes after
fragile fragile fragiles fragiles after
sale sale sales sales after
"""
BEFORE_A_VOWEL = {"vieil": "vieux", "bel": "beau", "nouvel": "nouveau"}
WITH_HAVE = "vu trouvé poursuivi mangé acheté caché perdu lavé cassé ouvert cherché donné".split()
NO_OBJECT = "dormi couru sauté ri".split()
WITH_BE = "tombé arrivé parti allé".split()
SITTING = {"assis": ("m", "sp"), "assise": ("f", "s"), "assises": ("f", "p")}
FINITE = {  # verb: number
    "a": "s", "ont": "p", "est": "s", "sont": "p", "était": "s", "étaient": "p",
    "avait": "s", "avaient": "p", "aimait": "s", "aimaient": "p",
    "regardait": "s", "regardaient": "p",
}  # fmt: skip
DETERMINERS = {  # gender and number
    "le": ("m", "s"), "la": ("f", "s"), "l'": ("mf", "s"), "les": ("mf", "p"),
    "un": ("m", "s"), "une": ("f", "s"), "des": ("mf", "p"),
    "ce": ("m", "s"), "cet": ("m", "s"), "cette": ("f", "s"), "ces": ("mf", "p"),
    "deux": ("mf", "p"), "de": ("mf", "sp"), "d'": ("mf", "sp"),
}  # fmt: skip
FUSED = {"du": ("m", "s"), "au": ("m", "s"), "des": ("mf", "p"), "aux": ("mf", "p")}
PRONOUNS = {"il": ("m", "s"), "elle": ("f", "s"), "ils": ("m", "p"), "elles": ("f", "p")}
PLACES = "dans sur sous derrière devant avec".split()
ELIDING = "le la de ne que se ce".split()
CONSONANT_H = "hibou hiboux hérisson hangar hache".split()


def _nouns():
    nouns = {}
    for gender, text in (("m", MASCULINE), ("f", FEMININE)):
        for entry in text.split():
            singular, _, plural = entry.partition("/")
            for form, number in ((singular, "s"), (plural, "p")):
                _, numbers = nouns.get(form, ("", ""))
                nouns[form] = (gender, numbers + number)
    del nouns[""], nouns["_"]
    return nouns


def _forms(masculine):
    feminine = masculine + "e"
    return {
        masculine: ("m", "s"), feminine: ("f", "s"),
        masculine + "s": ("m", "p"), feminine + "s": ("f", "p"),
    }  # fmt: skip


NOUNS = _nouns()
ADJECTIVE_FORMS, POSITION = {}, {}
for line in ADJECTIVES.strip().splitlines():
    *four, place = line.split()
    for form, features in zip(four, [("m", "s"), ("f", "s"), ("m", "p"), ("f", "p")], strict=True):
        ADJECTIVE_FORMS.setdefault(form, set()).add(features)
        POSITION[form] = place
for form in BEFORE_A_VOWEL:
    ADJECTIVE_FORMS[form], POSITION[form] = {("m", "s")}, "before"
HAVE_FORMS = {form: features for verb in WITH_HAVE for form, features in _forms(verb).items()}
BE_FORMS = {form: features for verb in WITH_BE for form, features in _forms(verb).items()}


def vowel(word):
    """Say whether a word begins with a vowel sound."""
    if word.startswith("h"):
        return word not in CONSONANT_H
    return word[0] in "aeiouyâéèêîôûœ"


# ----------------------------------------------------------------- the reader


class Stuck(Exception):
    """The sentence goes on in a way that the reader cannot make sense of."""


class Reader:
    """Reads one sentence and notes its mistakes."""

    def __init__(self, sentence):
        self.words = sentence.replace("'", "' ").split()
        self.at = 0
        self.mistakes = []
        self.mentioned = []  # gender and number of the nouns so far

    # -- small helpers

    def peek(self, ahead=0):
        place = self.at + ahead
        return self.words[place] if place < len(self.words) else ""

    def take(self, *wanted):
        """Go past the next word if it is one of some words, and return it."""
        if self.peek() and (not wanted or self.peek() in wanted):
            self.at += 1
            return self.words[self.at - 1]
        return ""

    def note(self, what):
        self.mistakes.append(f"{what} (before word {self.at} of {' '.join(self.words)})")

    def stuck(self, wanted):
        self.note(f"expected {wanted}, found {self.peek() or 'the end'!r}")
        raise Stuck

    # -- what holds between neighbours anywhere

    def neighbours(self):
        for word, following in zip(self.words, [*self.words[1:], ""], strict=True):
            if word in ELIDING and following and vowel(following):
                self.note(f"elision: {word} {following}")
            if (word.endswith("'") or word in BEFORE_A_VOWEL or word == "cet") and not (
                following and vowel(following)
            ):
                self.note(f"elision: {word} before {following or 'nothing'}")
            if word in ("de", "à") and following in ("le", "les"):
                self.note(f"contraction: {word} {following}")
            if word in ("du", "au") and following and vowel(following):
                self.note(f"contraction: {word} {following}")
            if word in ("beau", "vieux", "nouveau") and following in NOUNS and vowel(following):
                if NOUNS[following] == ("m", "s"):
                    self.note(f"before a vowel: {word} {following}")

    # -- sentences and clauses

    def sentence(self):
        self.neighbours()
        try:
            self.clause()
            while self.at < len(self.words):
                if self.take("parce"):
                    if not self.take("que", "qu'"):
                        self.stuck("que")
                elif not self.take("et", "mais", "quand"):
                    self.stuck("a conjunction")
                self.clause()
        except Stuck:
            pass
        return self.mistakes

    def clause(self):
        pronoun = self.take(*PRONOUNS)
        if pronoun:
            subject = PRONOUNS[pronoun]
            if not any(subject[0] == gender and subject[1] in numbers
                       for gender, numbers in self.mentioned):  # fmt: skip
                self.note(f"pronoun: no noun for {pronoun}")
        else:
            subject = self.noun_phrase()
        self.predicate(subject)

    def predicate(self, subject, antecedent=None):
        """Read a verb and what follows; in "que le chat a vue", for an antecedent."""
        negated = bool(self.take("ne", "n'"))
        reflexive = bool(self.take("se", "s'"))
        verb = self.take(*FINITE)
        if not verb:
            self.stuck("a verb")
        if FINITE[verb] not in subject[1]:
            self.note(f"number: subject {subject} with {verb}")
        particle = self.take("pas", "jamais")
        if negated != bool(particle):
            self.note(f"negation: {'ne' if negated else particle} alone")
        if reflexive or verb in ("est", "sont"):
            self.be(verb, reflexive, subject)
        elif verb in ("a", "ont"):
            self.have(subject, antecedent, negated)
        elif verb in ("était", "étaient"):
            self.state(subject)
        elif verb in ("avait", "avaient"):
            self.take("très")
            if not self.take("faim"):
                self.stuck("faim")
        elif antecedent is None:
            self.object(negated)
            self.places()

    def be(self, verb, reflexive, subject):
        participle = self.take(*SITTING, *BE_FORMS)
        if verb not in ("est", "sont") or reflexive != (participle in SITTING):
            self.note(f"auxiliary: {verb} {participle}")
        if not participle:
            self.stuck("a participle that goes with être")
        gender, numbers = SITTING.get(participle) or BE_FORMS[participle]
        if gender not in subject[0] or not set(numbers) & set(subject[1]):
            self.note(f"participle: subject {subject} with {participle}")
        self.places()

    def have(self, subject, antecedent, negated):
        participle = self.take(*NO_OBJECT, *HAVE_FORMS)
        if not participle:
            self.stuck("a participle that goes with avoir")
        if participle in NO_OBJECT:
            self.places()
            return
        gender, number = HAVE_FORMS[participle]
        wanted = antecedent or ("m", "s")
        if gender != wanted[0] or number not in wanted[1]:
            self.note(f"participle: {participle} for {wanted}")
        if antecedent is None:
            self.object(negated)
            self.places()

    def object(self, negated):
        if negated and self.peek() in ("un", "une", "des"):
            self.note(f"negation: {self.peek()} instead of de")
        self.noun_phrase(negated_object=negated)

    def places(self):
        """Read phrases such as "dans le jardin" and "au chat"."""
        while True:
            if self.take(*PLACES):
                self.noun_phrase()
            elif self.take("près"):
                if not self.of():
                    self.stuck("de")
            elif not self.to():
                return

    def of(self):
        """Read "de la maison" or "du roi"; say whether there was one."""
        if self.peek() in ("du", "des"):
            self.noun_phrase(fused=True)
        elif self.take("de", "d'"):
            self.noun_phrase()
        else:
            return False
        return True

    def to(self):
        if self.peek() in ("au", "aux"):
            self.noun_phrase(fused=True)
        elif self.take("à"):
            self.noun_phrase()
        else:
            return False
        return True

    def state(self, subject):
        if self.peek() in PLACES or self.peek() == "près":
            self.places()
            return
        self.take("très")
        if self.take("en"):
            if not self.take("colère"):
                self.stuck("colère")
            return
        adjective = self.take(*ADJECTIVE_FORMS)
        if not adjective:
            self.stuck("an adjective")
        if adjective in BEFORE_A_VOWEL:
            self.note(f"before a vowel: {adjective} after était")
        self.agree(adjective, subject)

    # -- noun phrases

    def agree(self, adjective, noun):
        gender, numbers = noun
        if not any(g == gender and n in numbers for g, n in ADJECTIVE_FORMS[adjective]):
            self.note(f"adjective: {adjective} with {noun}")

    def noun_phrase(self, fused=False, negated_object=False):
        """Read a noun phrase with all that hangs on it; return its gender and number."""
        many = self.take("beaucoup")
        determiner = self.take(*(FUSED if fused else DETERMINERS))
        if not determiner:
            self.stuck("a determiner")
        if many and determiner not in ("de", "d'"):
            self.note(f"determiner: beaucoup {determiner}")
        before = []
        while self.peek() in ADJECTIVE_FORMS:
            before.append(self.take())
        noun = self.take(*NOUNS)
        if not noun:
            self.stuck("a noun")
        gender, numbers = NOUNS[noun]
        genders, possible = FUSED[determiner] if fused else DETERMINERS[determiner]
        numbers = "".join(number for number in numbers if number in possible)
        if many:
            numbers = numbers.replace("s", "")
        if gender not in genders or not numbers:
            self.note(f"determiner: {determiner} {noun}")
            numbers = numbers or NOUNS[noun][1]
        if determiner == "des" and not fused and before:
            self.note(f"determiner: des {before[0]} instead of de")
        if determiner in ("de", "d'") and not many and not negated_object:
            if not before or "p" not in numbers:
                self.note(f"determiner: {determiner} {noun} without a negation")
            numbers = "p"  # de petits chats
        phrase = (gender, numbers)
        for adjective in before:
            if POSITION[adjective] != "before":
                self.note(f"position: {adjective} {noun}")
            self.agree(adjective, phrase)
        while self.peek() in ADJECTIVE_FORMS:
            adjective = self.take()
            if POSITION[adjective] != "after":
                self.note(f"position: {noun} {adjective}")
            self.agree(adjective, phrase)
        self.mentioned.append(phrase)
        if self.peek() in ("de", "d'", "du"):
            self.of()
        if self.peek() in ("à", "au", "aux"):
            self.to()
        if self.take("qui"):
            self.predicate(phrase)
        elif self.take("que", "qu'"):
            self.predicate(self.noun_phrase(), antecedent=phrase)
        return phrase


def mistakes(sentence):
    """Return what is wrong with a French sentence: a list, empty if nothing is."""
    return Reader(sentence).sentence()
