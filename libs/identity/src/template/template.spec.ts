import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { isCodedError } from '@touchmark/errors'
import { parseTemplate } from './parser.js'
import { runTemplate } from './run.js'

const DATA = new Map(Object.entries({ ref_type: 'branch', ref: 'main', url: 'https://x', e: '', 'a/b': 'slash' }))
const run = (source: string): string => runTemplate(parseTemplate(source), DATA)

describe('templates', () => {
  // Recorded with Go 1.26's text/template on the same data, missingkey=error.
  it.each([
    ['{{ .url }}/{{.ref}}', 'https://x/main'],
    ['{{index . "a/b"}}', 'slash'],
    ['{{(index . "a/b")}}', 'slash'],
    ['{{index . "zz"}}', ''],
    ['refs/{{if eq .ref_type "branch"}}heads/{{ else }}tags/{{end}}{{ .ref }}', 'refs/heads/main'],
    ['{{if eq .ref_type "tag"}}T{{ else if eq .ref "main"}}M{{else}}E{{end}}', 'M'],
    ['{{if .e}}y{{else}}n{{end}}', 'n'],
    ['{{if not .e}}y{{end}}', 'y'],
    ['a {{- .url -}} b', 'ahttps://xb'],
    ['a {{- /* c */ -}} b', 'ab'],
    ['{{/* c */}}z', 'z'],
    ['{{"lit"}}{{`raw\\n`}}', 'litraw\\n'],
    ['{{"a\\n\\t\\"b"}}', 'a\n\t"b'],
    ['{{if and .url .ref}}1{{end}}{{if or .url .nope}}2{{end}}', '12'],
    ['{{if eq .ref "x" "main"}}1{{end}}{{if ne .ref "x"}}2{{end}}', '12'],
    ['{{if eq (index . "a/b") "slash"}}s{{end}}', 's'],
    ['{{if .url}}{{if .e}}1{{else}}2{{end}}{{end}}', '2'],
    ['{{if (and .url (not .e))}}ok{{end}}', 'ok'],
    ['  {{-   .url   -}}  ', 'https://x'],
    ['}}', '}}'],
  ])('%s gives %j', (source, text) => {
    expect(run(source)).toBe(text)
  })

  it.each([
    ['{{.nope}}', 'template: :1:2: executing "" at <.nope>: map has no entry for key "nope"'],
    ['é{{ .nope }}', 'template: :1:5: executing "" at <.nope>: map has no entry for key "nope"'],
    ['a\nb{{ .nope }}', 'template: :2:4: executing "" at <.nope>: map has no entry for key "nope"'],
    ['{{.url.x}}', 'template: :1:6: executing "" at <.url.x>: can\'t evaluate field x in type string'],
    ['{{if or .e .nope}}1{{end}}', 'template: :1:11: executing "" at <.nope>: map has no entry for key "nope"'],
  ])('%s fails in Go’s words', (source, message) => {
    const template = parseTemplate(source)
    let text = ''
    try {
      runTemplate(template, DATA)
    } catch (error) {
      text = isCodedError(error) && error.code === 'IDENTITY_SUBJECT_INVALID' ? error.message : String(error)
    }
    expect(text).toBe(message)
  })

  it.each([
    ['{{if', 'unclosed action'],
    ['{{ .url', 'unclosed action'],
    ['{{end}}', 'unexpected {{end}}'],
    ['{{else}}', 'unexpected {{else}}'],
    ['{{if .url}}', 'unexpected EOF'],
    ['{{ }}', 'missing value for command'],
    ['{{foo}}', 'function "foo" not defined'],
    ['{{.url}', "bad character U+007D '}'"],
    ['{{if .url}}a{{else}}b{{else}}c{{end}}', 'expected end; found {{else}}'],
  ])('refuses %s in Go’s words', (source, message) => {
    expect(() => parseTemplate(source)).toThrow(`template: :1: ${message}`)
  })

  it.each([
    '{{.url | print}}',
    '{{range .}}{{end}}',
    '{{with .url}}{{end}}',
    '{{printf "%s" .url}}',
    '{{.}}',
    '{{$x := .url}}',
    '{{eq .url}}',
    '{{eq .url .url}}',
    '{{index . "a" "b"}}',
    '{{index .url "a"}}',
    '{{.url .ref}}',
    '{{end x}}',
    '{{if .url}}{{end x}}',
    '{{"\\u00e9"}}',
    '{{/* open }}',
    '{{(.url}}',
    '{{.url)}}',
    '{{if}}x{{end}}',
    `{{${'('.repeat(40)}.url${')'.repeat(40)}}}`,
    `${'{{if .url}}'.repeat(40)}${'{{end}}'.repeat(40)}`,
    'x'.repeat(20_000),
  ])('refuses %.60s', (source) => {
    expect(() => parseTemplate(source)).toThrowCode('IDENTITY_TEMPLATE_INVALID')
  })

  it('runs or refuses any text', () => {
    const part = fc.constantFrom(
      '{{',
      '}}',
      '{{-',
      '-}}',
      ' ',
      '.url',
      '.',
      'if',
      'else',
      'end',
      'eq',
      'index',
      '"a"',
      '`',
      '(',
      ')',
      'x',
      '/*',
      '*/',
      '\n',
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 25 }), (parts) => {
        try {
          return typeof run(parts.join('')) === 'string'
        } catch (error) {
          return isCodedError(error)
        }
      }),
      { numRuns: 1000 },
    )
  })
})
