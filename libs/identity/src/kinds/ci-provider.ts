import type { CiProvider, ValueTemplate } from '../config/issuer-config.js'
import { IdentityError } from '../errors.js'
import { TEMPLATED_EXTENSIONS } from '../extension-names.js'
import { stringifyClaim } from '../go/format.js'
import { parseGoUrl } from '../go/url.js'
import type { Principal } from '../principal.js'
import { runTemplate, type TemplateData } from '../template/run.js'
import { refuse } from './claims.js'
import type { IdentityInput, IssuerKind } from './kind.js'
import { asSubject, uriSubject } from './uri-subject.js'

/** A job of any CI system, described by templates in the configuration (ca.md §7). */
export const ciProvider: IssuerKind = (input) => {
  const provider = input.ciProviders.get(input.issuer.ciProvider)
  if (provider === undefined) return refuse(`there is no ci-issuer-metadata "${input.issuer.ciProvider}"`)
  return { name: input.sub, principal: () => principalOf(input, provider) }
}

function principalOf({ claims, iss, sub }: IdentityInput, provider: CiProvider): Principal {
  if (provider.subject === undefined) {
    return fail(`SubjectAlternativeNameTemplate should not be empty. Issuer: ${iss}`)
  }
  // A claim wins over a default of the same name.
  const data = new Map(provider.defaults)
  for (const name of Object.keys(claims)) data.set(name, stringifyClaim(claims[name]!))
  const value = valueOf(provider.subject, data, iss, 'SubjectAlternativeName')
  // Fulcio certifies what is no URI at all, an empty name too; a name that no policy can pin is refused here.
  const url = asSubject(() => parseGoUrl(value))
  if (url.scheme === '') fail(`the subject alternative name ${JSON.stringify(value)} is not an absolute URI`)
  const extensions: Record<string, string> = {}
  for (const { name, goName } of TEMPLATED_EXTENSIONS) {
    const template = provider.extensions.get(name)
    if (template === undefined) continue
    const text = valueOf(template, data, iss, goName)
    if (text !== '') extensions[name] = text
  }
  return { name: sub, subject: uriSubject(url), extensions: { ...extensions, tokenSubject: sub }, issuer: iss }
}

function valueOf(template: ValueTemplate, data: TemplateData, iss: string, extension: string): string {
  if (template.kind === 'template') return runTemplate(template.template, data)
  const value = data.get(template.name)
  if (value !== undefined) return value
  const where = goJson({ ExtensionName: extension, Issuer: iss })
  return fail(`value <${template.name}> not present in either claims or defaults. ${where}`)
}

/** Indented by tabs, and with the characters escaped that Go's encoding/json escapes. */
function goJson(value: Readonly<Record<string, string>>): string {
  const escape = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
  return JSON.stringify(value, null, '\t').replace(/[<>&\u2028\u2029]/g, escape)
}

function fail(text: string): never {
  throw new IdentityError('IDENTITY_SUBJECT_INVALID', text)
}
