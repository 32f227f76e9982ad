// Which cells made each shared name what it is, since Python started.
//
// That a cell has run is not enough for one that uses its names: a cell below, or the
// reader's own text, may have given them another meaning since.

export class Names {
  #makers; // name -> the ids of the cells that made it what it is, in order

  constructor(makers = new Map()) {
    this.#makers = makers;
  }

  copy() {
    return new Names(new Map(this.#makers));
  }

  clear() {
    this.#makers.clear();
  }

  /**
   * A cell has run, or is going to.
   *
   * @param cell with what its printed code does: the names it `makes`, and those of other
   *   cells that it `changes`
   * @param bound the names that Python saw bound; the reader's text may bind others
   */
  note({ id, makes, changes }, bound = []) {
    const own = bound.filter((name) => !changes.includes(name));
    for (const name of [...makes, ...own]) this.#makers.set(name, [id]);
    for (const name of changes) this.#makers.set(name, [...this.#of(name), id]);
  }

  /** A cell broke off: what it bound and may have changed is nobody's. */
  spoil({ changes }, bound) {
    for (const name of [...changes, ...bound]) this.#makers.set(name, ["?"]);
  }

  /** The ids of the cells whose names a cell reads, and which are not as they left them. */
  lost({ reads }) {
    const changed = ([name, makers]) => makers.join() !== this.#of(name).join();
    return Object.entries(reads).filter(changed).flatMap(([, makers]) => makers);
  }

  #of(name) {
    return this.#makers.get(name) ?? [];
  }
}
