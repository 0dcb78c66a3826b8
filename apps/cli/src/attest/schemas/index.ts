import { PREDICATE_TYPES } from '../../statement.js'
import { cosignCustom } from './cosign-custom.js'
import { inTotoLink } from './in-toto-link.js'
import { openvex } from './openvex.js'
import type { Schema } from './parts.js'
import { slsaProvenance02, slsaProvenance1 } from './slsa-provenance.js'
import { spdx2, spdx3 } from './spdx.js'
import { syft } from './syft.js'
import { vuln } from './vuln.js'

const BY_ALIAS: Readonly<Record<string, Schema>> = {
  custom: cosignCustom,
  slsaprovenance02: slsaProvenance02,
  slsaprovenance1: slsaProvenance1,
  spdxjson: spdx2,
  spdx3json: spdx3,
  syftjson: syft,
  link: inTotoLink,
  vuln,
  openvex,
}
const BY_TYPE: ReadonlyMap<string, Schema> = new Map([
  ...Object.entries(BY_ALIAS).map(([alias, schema]): [string, Schema] => [PREDICATE_TYPES[alias]!, schema]),
  ['https://spdx.dev/Document/v2.2', spdx2],
  ['https://spdx.dev/Document/v2.3', spdx2],
])

/** The schema of a predicate type that is written here; CycloneDX brings its own (cyclonedx.ts). */
export function schemaOf(predicateType: string): Schema | undefined {
  return BY_TYPE.get(predicateType)
}
