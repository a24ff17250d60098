// Which frames are missing as uplinks come: what console/store/summary.py finds among stored ones.

const LATELY = 1000; // frames: what comes later than that is a new beginning

export class Seqnos {
  constructor(seqnos) {
    this.newest = null;
    this.lately = new Map(); // whether it came; false while it is missing
    seqnos.forEach((seqno) => this.look(seqno));
  }

  // Takes the seqno of the next uplink. Returns how many frames are missing before it, or -1 where it
  // is one that was missing.
  look(seqno) {
    const came = this.lately.get(seqno);
    this.note(seqno, true);
    if (came === false) return -1;
    if (came) return 0;
    const first = this.newest === null ? seqno : this.newest + 1;
    const recent = Math.max(first, seqno - LATELY);
    let missing = Math.max(0, recent - first);
    this.newest = seqno;
    for (let skipped = recent; skipped < seqno; skipped += 1) {
      if (this.lately.has(skipped)) continue;
      missing += 1;
      this.note(skipped, false);
    }
    return missing;
  }

  note(seqno, came) {
    this.lately.delete(seqno);
    this.lately.set(seqno, came);
    if (this.lately.size > LATELY) this.lately.delete(this.lately.keys().next().value);
  }
}
