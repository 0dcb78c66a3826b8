const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** The extension line of a last checkpoint, with the time in UTC as `date` prints it: `Log frozen — Tue Dec  1 09:05:00 UTC 2026` (log-v2.md §10). */
export function frozenLine(at: Date): string {
  const time = at.toISOString().slice(11, 19)
  const day = String(at.getUTCDate()).padStart(2)
  return `Log frozen — ${DAYS[at.getUTCDay()]} ${MONTHS[at.getUTCMonth()]} ${day} ${time} UTC ${at.getUTCFullYear()}`
}
