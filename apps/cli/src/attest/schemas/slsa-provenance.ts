import { anyObject, digestSet, filled, flag, list, object, optional, text, time, uri, type Schema } from './parts.js'

/** Predicate `https://slsa.dev/provenance/v0.2`: its required members and the types of all. */
export const slsaProvenance02: Schema = object(
  {
    builder: object({ id: uri }, ['id']),
    buildType: uri,
    invocation: optional(
      object({
        configSource: optional(
          object({ uri: optional(text), digest: optional(digestSet), entryPoint: optional(text) }),
        ),
        // Any JSON: cosign and GitHub's generators write null, lists and objects here.
        parameters: {},
        environment: {},
      }),
    ),
    buildConfig: {},
    metadata: optional(
      object({
        buildInvocationId: optional(text),
        buildStartedOn: optional(time),
        buildFinishedOn: optional(time),
        completeness: optional(
          object({ parameters: optional(flag), environment: optional(flag), materials: optional(flag) }),
        ),
        reproducible: optional(flag),
      }),
    ),
    materials: optional(list(object({ uri: optional(text), digest: optional(digestSet) }))),
  },
  ['builder', 'buildType'],
)

/** in-toto's ResourceDescriptor: it must say in some way which resource is meant. */
const resource: Schema = {
  ...object({
    uri: optional(text),
    digest: optional(digestSet),
    name: optional(text),
    downloadLocation: optional(text),
    mediaType: optional(text),
    content: optional(text),
    annotations: optional(anyObject),
  }),
  anyOf: [{ required: ['uri'] }, { required: ['digest'] }, { required: ['content'] }],
}

/** Predicate `https://slsa.dev/provenance/v1`: what is required for SLSA Build L1, and the types of all. */
export const slsaProvenance1: Schema = object(
  {
    buildDefinition: object(
      {
        buildType: uri,
        externalParameters: anyObject,
        internalParameters: optional(anyObject),
        resolvedDependencies: optional(list(resource)),
      },
      ['buildType', 'externalParameters'],
    ),
    runDetails: object(
      {
        builder: object(
          {
            id: filled,
            version: optional({ type: 'object', additionalProperties: text }),
            builderDependencies: optional(list(resource)),
          },
          ['id'],
        ),
        metadata: optional(
          object({ invocationId: optional(text), startedOn: optional(time), finishedOn: optional(time) }),
        ),
        byproducts: optional(list(resource)),
      },
      ['builder'],
    ),
  },
  ['buildDefinition', 'runDetails'],
)
