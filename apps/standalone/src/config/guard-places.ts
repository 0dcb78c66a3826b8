import { resolve } from 'node:path'
import { StandaloneError } from '../errors.js'
import { isLocal } from './issuers.js'

/** Where the newest checkpoints are kept outside of the database. */
export interface GuardConfig {
  /** Undefined: a folder in the data folder. */
  readonly folder: string | undefined
  readonly urls: readonly string[]
  /** An address that does not answer at start is warned about, not refused. */
  readonly optional: boolean
  readonly tokenFile: string | undefined
}

/** Sorts what was named into one folder and any number of addresses. Throws STANDALONE_CONFIG. */
export function guardPlaces(named: readonly string[], optional: boolean, tokenFile: string | undefined): GuardConfig {
  const urls = named.filter((place) => /^[a-z][a-z0-9+.-]*:/i.test(place)).map(checkUrl)
  const folders = named.filter((place) => !/^[a-z][a-z0-9+.-]*:/i.test(place))
  if (folders.length > 1 || folders.includes('')) {
    throw new StandaloneError('STANDALONE_CONFIG', '--guard takes one folder, and any number of addresses besides')
  }
  return { folder: folders[0] === undefined ? undefined : resolve(folders[0]), urls, optional, tokenFile }
}

function checkUrl(text: string): string {
  // The text is not repeated: it may hold a password.
  const bad = (why: string): StandaloneError =>
    new StandaloneError('STANDALONE_CONFIG', `an address of --guard ${why}`, {
      hint: 'Give a folder, or an address such as https://store.example.com/touchmark; a token goes into TOUCHMARK_GUARD_TOKEN_FILE.',
    })
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw bad('is no URL')
  }
  // Who can change the answers can hide that the database went back.
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLocal(url.href)))
    throw bad('must begin with https://')
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw bad('must hold no user, query or fragment')
  return url.href
}
