const PEERS = ['js', 'go']

/** Holds the verdicts of the judges against each other. */
export class Compare {
  #reasons
  #counts = { cases: 0, agreed: 0, acceptedByAll: 0, refusedByAll: 0, accepted: { ours: 0, js: 0, go: 0 } }
  #byReason = new Map()
  unexplained = []
  faults = []
  disagreements = 0

  /** The first reason that fits a disagreement is its reason. */
  constructor(reasons) {
    this.#reasons = reasons
  }

  reasonFor(one, ours, peer, theirs) {
    const about = { ours, theirs, peer, bundle: read(one.bytes), subject: one.subject }
    return this.#reasons.find(
      (reason) =>
        reason.peers.includes(peer) && reason.we === (ours.accepted ? 'accept' : 'refuse') && reason.fits(about),
    )
  }

  add(one, verdicts) {
    const { ours } = verdicts
    const counts = this.#counts
    counts.cases++
    for (const [judge, { accepted }] of Object.entries(verdicts)) counts.accepted[judge] += accepted ? 1 : 0
    const all = Object.values(verdicts)
    if (all.every(({ accepted }) => accepted)) counts.acceptedByAll++
    if (all.every(({ accepted }) => !accepted)) counts.refusedByAll++
    if (all.every(({ accepted }) => accepted === ours.accepted)) counts.agreed++
    const label = `${one.number} ${one.name}: ${one.changes.join(' + ') || 'as it is'}`
    if (ours.fault) this.faults.push({ case: label, why: ours.why })
    for (const peer of PEERS) {
      const theirs = verdicts[peer]
      if (theirs === undefined || theirs.accepted === ours.accepted) continue
      this.disagreements++
      const reason = this.reasonFor(one, ours, peer, theirs)
      if (reason === undefined)
        this.unexplained.push({
          case: label,
          peer,
          we: ours.accepted ? 'accept' : ours.why,
          they: theirs.accepted ? 'accept' : theirs.why,
        })
      else this.#note(reason, peer, label)
    }
  }

  #note({ id }, peer, label) {
    const noted = this.#byReason.get(id) ?? { js: 0, go: 0, cases: [] }
    noted[peer]++
    noted.cases.push(label)
    this.#byReason.set(id, noted)
  }

  figures({ seed, seconds, withGo, show }) {
    const reasons = this.#reasons.map(({ id, we, right, why, see }) => {
      const { js = 0, go = 0, cases = [] } = this.#byReason.get(id) ?? {}
      return { id, we, right, why, see, js, go, ...(id === show ? { cases } : {}) }
    })
    return {
      seed,
      seconds,
      withGo,
      ...this.#counts,
      disagreements: this.disagreements,
      reasons,
      unexplained: this.unexplained,
      faults: this.faults,
    }
  }
}

/** The bundle as lenient readers see it; undefined when it is no JSON. */
function read(bytes) {
  try {
    return JSON.parse(
      Buffer.from(bytes)
        .toString()
        .replace(/^\ufeff/, ''),
    )
  } catch {
    return undefined
  }
}
