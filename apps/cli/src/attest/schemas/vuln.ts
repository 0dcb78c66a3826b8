import { filled, object, text, time, type Schema } from './parts.js'

/** Predicate `https://cosign.sigstore.dev/attestation/vuln/v1`: the scanner, what it found and when. */
export const vuln: Schema = object(
  {
    invocation: object({ parameters: {}, uri: text, event_id: text, 'builder.id': text }),
    scanner: object(
      {
        uri: filled,
        version: text,
        db: object({ uri: text, version: text }),
        // In the scanner's own format.
        result: {},
      },
      ['uri', 'result'],
    ),
    metadata: object({ scanStartedOn: time, scanFinishedOn: time }, ['scanStartedOn', 'scanFinishedOn']),
  },
  ['scanner', 'metadata'],
)
