/** Beside what JSON escapes of its own accord: deletes, C1 controls, and what turns a text's direction or breaks its line. */
const UNPRINTABLE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

/** The same JSON with such characters, which stand inside strings only, as escapes: whoever shows it on a terminal shows text (reliability test A6). */
export function escapeUnprintable(json: string): string {
  return json.replace(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
