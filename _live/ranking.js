// Which section of the book answers a question best. The index is made when the site is built
// (_ext/book_site/search.py); a section is ranked by BM25, which asks how often it has each
// word, how rare the word is, and how long the section is. A section that has all words comes
// before one that repeats some.

const K = 1.2; // how soon more of the same word stops to count
const LENGTH = 0.5; // how much a long section is held to have its words by chance
const MOST = 20; // results
const OF_A_PAGE = 3;
const PAGE = 0.1; // how much the page's other sections count

/** Cut a text into words as the index does. */
export function words(text) {
  const plain = text.replaceAll("√", " sqrt ").toLowerCase();
  return plain.match(/[\p{L}\p{N}]+(?:_[\p{L}\p{N}]+)*/gu) ?? [];
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
  const rarityOf = (stem) => Math.log(1 + (2 * sections.length) / terms[stem].length);
  const known = [...new Set(stems)].filter((stem) => Object.hasOwn(terms, stem));
  for (const stem of known) {
    const counts = terms[stem];
    const rarity = rarityOf(stem);
    for (let i = 0; i < counts.length; i += 2) {
      const [number, count] = [counts[i], counts[i + 1]];
      const long = K * (1 - LENGTH + (LENGTH * sections[number][4]) / mean);
      const score = (rarity * count * (K + 1)) / (count + long);
      scores.set(number, (scores.get(number) ?? 0) + score);
      met.set(number, (met.get(number) ?? 0) + rarity);
    }
  }
  const whole = known.reduce((sum, stem) => sum + rarityOf(stem), 0);
  const found = [...scores].map(([number, score]) => {
    const [page, anchor, heading, weight] = sections[number];
    return { page, anchor, heading, score: score * weight * (met.get(number) / whole) };
  });
  return inOrder(found).slice(0, MOST);
}

/** The best first; a page that speaks of it in several sections is likelier to explain it. */
function inOrder(found) {
  const pages = new Map();
  for (const section of found.sort((a, b) => b.score - a.score)) {
    pages.set(section.page, [...(pages.get(section.page) ?? []), section]);
  }
  const ofPage = [...pages.values()].flatMap((sections) => {
    const best = sections.slice(0, OF_A_PAGE);
    const others = best.slice(1).reduce((sum, { score }) => sum + score, 0);
    return best.map((section) => ({ ...section, score: section.score + PAGE * others }));
  });
  return ofPage.sort((a, b) => b.score - a.score);
}
