export const SAMPLES: readonly { readonly name: string }[]
export function makeSamples(where: { url: string; folder: string; token: string }): Promise<Map<string, string>>
export function samplesOf(page: string): Map<string, string>
export function withSamples(page: string, made: ReadonlyMap<string, string>): string
