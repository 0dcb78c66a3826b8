import type { JsonValue } from '@touchmark/encoding'

/** JSON with the white space of Fulcio v1.8.8, one space after each comma, so that answers equal its own byte for byte. */
export function protoJsonText(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(protoJsonText).join(', ')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const members = Object.entries(value as { readonly [member: string]: JsonValue })
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${protoJsonText(member)}`).join(', ')}}`
}
