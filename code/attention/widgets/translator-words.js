// Words of the live translator: English text into tokens and back, and the known words that
// an unknown one resembles.

const LONGEST_WORD = 30; // characters of an unknown word that are looked at
const SHORT_FORMS = { "didn't": "did not", "wasn't": "was not", "weren't": "were not" };

/** Cut English text into tokens, as `attention.corpus.tokenize` does. */
export function tokenize(text) {
  text = text.toLowerCase().replaceAll("’", "'");
  for (const [short, long] of Object.entries(SHORT_FORMS)) text = text.replaceAll(short, long);
  text = text.replaceAll("'s", " 's").replace(/[.,;:!?]/g, " ").trim();
  return text ? text.split(/\s+/) : [];
}

/** Write tokens as text: no space after "l'" and before "'s". */
export function asText(tokens) {
  return tokens.join(" ").replaceAll("' ", "'").replaceAll(" 's", "'s");
}

/** Count the letters to add, leave out, change or swap with the next to make b of a. */
export function editDistance(a, b) {
  const table = Array.from({ length: a.length + 1 }, (_, i) => [i]);
  for (let j = 1; j <= b.length; j++) table[0][j] = j;
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      const ways = [table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + change];
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        ways.push(table[i - 2][j - 2] + 1);
      table[i][j] = Math.min(...ways);
    }
  return table[a.length][b.length];
}

/** The known words that are written most like this one, if any are; the nearest first. */
export function nearest(word, words, count = 3) {
  if (word.length > LONGEST_WORD) return [];
  const enough = 1 + Math.floor(word.length / 4);
  return words
    .map((known) => [editDistance(word, known), known])
    .filter(([distance]) => distance <= enough)
    .sort(([a], [b]) => a - b) // sort keeps the order of equal ones: the alphabet's
    .slice(0, count)
    .map(([, known]) => known);
}

/** Call each token by its text, and by its position too (from 1) if there are several such. */
export function labels(tokens) {
  const several = (token) => tokens.indexOf(token) !== tokens.lastIndexOf(token);
  return tokens.map((token, i) => (several(token) ? `${token} (${i + 1})` : token));
}

/** Quote a word that a reader typed, however long it is. */
export const quoted = (word) =>
  `“${word.length > LONGEST_WORD ? `${word.slice(0, LONGEST_WORD)}…` : word}”`;
