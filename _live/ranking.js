// Which section of the book answers a question best. The index is made when the site is built
// (_ext/book_site/search.py); a section is ranked by BM25, which asks how often it has each
// word, how rare the word is, and how long the section is. A section that has all words comes
// before one that repeats some.

const K = 1.2; // how soon more of the same word stops to count
const LENGTH = 0.5; // how much a long section is held to have its words by chance
const MOST = 20; // results
const OF_A_PAGE = 3;

/** Cut a text into words as the index does. */
export function words(text) {
  return text.replaceAll("√", " sqrt ").toLowerCase().match(/[\p{L}\p{N}]+(?:_[\p{L}\p{N}]+)*/gu) ?? [];
}

/**
 * Rank the sections for some stems: [{page, anchor, heading, score}], best first.
 *
 * @param index {sections: [[page, anchor, heading, weight, length]], terms: {stem: [number,
 *   count, ...]}}
 */
export function rank(index, stems) {
  const { sections, terms } = index;
  const mean = sections.reduce((sum, one) => sum + one[4], 0) / sections.length;
  const scores = new Map();
  const met = new Map();
  const known = [...new Set(stems)].filter((stem) => Object.hasOwn(terms, stem));
  for (const stem of known) {
    const found = terms[stem];
    const rarity = Math.log(1 + sections.length / (found.length / 2));
    for (let i = 0; i < found.length; i += 2) {
      const [number, count] = [found[i], found[i + 1]];
      const long = K * (1 - LENGTH + (LENGTH * sections[number][4]) / mean);
      const score = (rarity * count * (K + 1)) / (count + long);
      scores.set(number, (scores.get(number) ?? 0) + score);
      met.set(number, (met.get(number) ?? 0) + rarity);
    }
  }
  const all = known.reduce((sum, stem) => sum + Math.log(1 + (2 * sections.length) / terms[stem].length), 0);
  const perPage = new Map();
  return [...scores]
    .map(([number, score]) => {
      const [page, anchor, heading, weight] = sections[number];
      return { page, anchor, heading, score: score * weight * (met.get(number) / all) };
    })
    .sort((a, b) => b.score - a.score)
    .filter(({ page }) => {
      perPage.set(page, (perPage.get(page) ?? 0) + 1);
      return perPage.get(page) <= OF_A_PAGE;
    })
    .slice(0, MOST);
}
