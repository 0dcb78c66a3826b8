const swc = [
  '@swc/jest',
  {
    jsc: {
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
      target: 'es2023',
    },
    module: { type: 'es6' },
    swcrc: false,
    sourceMaps: 'inline',
  },
]

const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': swc },
  moduleNameMapper: {
    '^@touchmark/migrations$': '<rootDir>/migrations/index.ts',
    '^@touchmark/app-(.*)$': '<rootDir>/apps/$1/src/index.ts',
    '^@touchmark/crypto/(node|noble)$': '<rootDir>/libs/crypto/src/$1/index.ts',
    '^@touchmark/(.*)$': '<rootDir>/libs/$1/src/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  setupFiles: ['reflect-metadata'],
  setupFilesAfterEnv: ['<rootDir>/test/setup/to-throw-code.ts'],
  modulePathIgnorePatterns: ['/dist/', '<rootDir>/.cache/'],
}

export default {
  maxWorkers: 2,
  projects: [
    {
      ...shared,
      displayName: 'unit',
      globalTeardown: '<rootDir>/test/setup/global-teardown.mjs',
      testMatch: ['<rootDir>/{apps,libs,test/structure}/**/*.spec.ts'],
    },
    {
      ...shared,
      displayName: 'integration',
      globalTeardown: '<rootDir>/test/setup/global-teardown.mjs',
      testMatch: ['<rootDir>/test/integration/**/*.test.ts', '<rootDir>/test/conformance/**/*.test.ts'],
    },
    {
      ...shared,
      displayName: 'e2e',
      globalTeardown: '<rootDir>/test/setup/global-teardown.mjs',
      testMatch: ['<rootDir>/test/e2e/**/*.test.ts'],
    },
    {
      ...shared,
      displayName: 'fault',
      globalTeardown: '<rootDir>/test/setup/global-teardown.mjs',
      testMatch: ['<rootDir>/test/fault/**/*.test.ts'],
    },
  ],
}
