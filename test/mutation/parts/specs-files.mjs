/** The specs as one file, in Stryker's copy of the repository. */
export const BUNDLE = '.specs.cjs'
/** What that file imports from npm and node:, a JSON list. */
export const EXTERNALS = '.specs.json'
