// Which edges of the attention are cut, and the same in words. An edge is the way from a
// query to a key in one head of one layer: { where, layer, head, query, key }, with `where`
// "encoder" (self-attention) or "cross". Nothing here changes: a cut makes a new object.

export class EdgeCuts {
  #rows = new Map(); // a query's place: the keys that are cut from it

  constructor(edges = []) {
    for (const edge of edges) {
      const place = rowOf(edge);
      if (!this.#rows.has(place)) this.#rows.set(place, new Set());
      this.#rows.get(place).add(edge.key);
    }
    this.edges = [...new Map(edges.map((edge) => [`${rowOf(edge)} ${edge.key}`, edge])).values()];
    this.size = this.edges.length;
  }

  /** The keys that are cut from a query, as a set, or undefined: what the model asks. */
  keysOf(where, layer, head, query) {
    return this.#rows.get(rowOf({ where, layer, head, query }));
  }

  has(edge) {
    return this.#rows.get(rowOf(edge))?.has(edge.key) ?? false;
  }

  /** Cut these edges too; if all of them are cut, give them back. */
  toggled(edges) {
    if (!edges.every((edge) => this.has(edge))) return new EdgeCuts([...this.edges, ...edges]);
    const given = new EdgeCuts(edges);
    return new EdgeCuts(this.edges.filter((edge) => !given.has(edge)));
  }

  /** For each query and key with a cut, named "query key": in how many of these heads. */
  countsOf(where, places) {
    const wanted = new Set(places.map(String));
    const counts = new Map();
    for (const edge of this.edges) {
      if (edge.where !== where || !wanted.has(`${edge.layer},${edge.head}`)) continue;
      const name = `${edge.query} ${edge.key}`;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return counts;
  }

  equals(other) {
    return this.size === other.size && this.edges.every((edge) => other.has(edge));
  }

  /** What weight these edges have in all, in the weights {encoder, cross} of a run. */
  attentionIn(weights) {
    const of = ({ where, layer, head, query, key }) =>
      weights[where][layer][head][query]?.[key] ?? 0;
    return this.edges.reduce((sum, edge) => sum + of(edge), 0);
  }

  /**
   * Group the edges for reading: { where, query, keys, place }, where `place` is text.
   *
   * Keys stand together if they are cut from the same query in the same layers and heads.
   */
  groups(layers, heads) {
    const byEdge = new Map();
    for (const { where, layer, head, query, key } of this.edges) {
      const name = `${where} ${query} ${key}`;
      if (!byEdge.has(name)) byEdge.set(name, { where, query, key, places: [] });
      byEdge.get(name).places.push([layer, head]);
    }
    const groups = new Map();
    for (const { where, query, key, places } of byEdge.values()) {
      const place = placeName(places, layers[where], heads);
      const name = `${where} ${query} ${place}`;
      if (!groups.has(name)) groups.set(name, { where, query, keys: [], place });
      groups.get(name).keys.push(key);
    }
    return [...groups.values()].map((group) =>
      ({ ...group, keys: group.keys.sort((a, b) => a - b) }));
  }
}

const rowOf = ({ where, layer, head, query }) => `${where} ${layer} ${head} ${query}`;

/** The edges from a query to some keys in several heads, given as [layer, head]. */
export function edgesIn(where, places, query, keys) {
  return places.flatMap(([layer, head]) =>
    keys.map((key) => ({ where, layer, head, query, key })));
}

/** All heads of some layers, as [layer, head]. */
export function headsOf(layers, heads) {
  return layers.flatMap((layer) => heads.map((head) => [layer, head]));
}

/** The numbers from 0 to one below. */
export const range = (count) => Array.from({ length: count }, (_, i) => i);

/** Name some of a model's heads, given as [layer, head]. */
export function placeName(places, layers, heads) {
  if (places.length === layers * heads) return layers === 1 ? "layer 0" : "all layers";
  return range(layers).flatMap((layer) => {
    const own = places.filter((place) => place[0] === layer).map((place) => place[1]);
    if (!own.length) return [];
    if (own.length === heads) return [`layer ${layer}`];
    const noun = own.length === 1 ? "head" : "heads";
    return [`layer ${layer}, ${noun} ${own.sort((a, b) => a - b).join(", ")}`];
  }).join("; ");
}
