import { bundleParsers } from './bundles.mjs'
import { certificateParsers } from './certificates.mjs'
import { documentParsers } from './documents.mjs'
import { entryParsers } from './entries.mjs'
import { jsonParsers } from './json.mjs'
import { keyFileParsers } from './key-files.mjs'
import { loginParsers } from './logins.mjs'
import { policyParsers } from './policies.mjs'
import { queryParsers } from './queries.mjs'
import { timestampParsers } from './timestamps.mjs'
import { treeParsers } from './tree.mjs'
import { v1Parsers } from './v1.mjs'

/**
 * Every parser of what an entry passes through. `weight`: its share of the inputs. See drive.mjs for the rest.
 */
export const parsers = [
  ...entryParsers,
  ...v1Parsers,
  ...jsonParsers,
  ...certificateParsers,
  ...timestampParsers,
  ...treeParsers,
  ...queryParsers,
  ...keyFileParsers,
  ...policyParsers,
  ...loginParsers,
  ...documentParsers,
  ...bundleParsers,
]
