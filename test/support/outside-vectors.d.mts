/**
 * The folder of others' vectors `name` (`sigstore-conformance`, `wycheproof`): in the folder that TOUCHMARK_VECTORS names, else in `shared/vectors` beside
 * the repository. Undefined where they are absent; a test then skips, and says so. Throws where they are absent and must not be: where CI is set, or
 * TOUCHMARK_VECTORS names a folder without them. TOUCHMARK_VECTORS set to nothing does without them everywhere.
 */
export function outsideVectors(name: string, environment?: NodeJS.ProcessEnv): string | undefined
