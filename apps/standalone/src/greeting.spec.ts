import { describe, expect, it } from '@jest/globals'
import { greeting, type GreetingInput } from './greeting.js'

const input: GreetingInput = {
  publicUrl: 'http://localhost:8360',
  localUrl: 'http://localhost:8360',
  dataDir: '/srv/touchmark',
  metricsUrl: 'http://127.0.0.1:9360/metrics',
  fingerprint: 'ab12',
  demo: true,
  loginUrl: 'http://localhost:8360/oidc',
  first: true,
}

describe('greeting', () => {
  it('gives a newcomer lines to copy, with the values of this instance', () => {
    expect(greeting(input)).toBe(`Touchmark is set up: http://localhost:8360
  data         /srv/touchmark
  metrics      http://127.0.0.1:9360/metrics
  trust root   sha256:ab12
  issuer       demo: anybody can be anybody here. Use --issuers for a real one.

# a token without a browser (demonstration issuer)
T=$(npx touchmark token --email dev@example.com --instance http://localhost:8360)

# touchmark
npx touchmark sign FILE --instance http://localhost:8360 --identity-token "$T"
npx touchmark verify FILE --instance http://localhost:8360 --certificate-identity dev@example.com --certificate-oidc-issuer http://localhost:8360/oidc

# trust files for other clients
for f in trusted_root.json signing_config.v0.2.json client_trust_config.json; do curl -sO http://localhost:8360/trust/$f; done

# cosign 3
cosign sign-blob -y --signing-config signing_config.v0.2.json --trusted-root trusted_root.json --identity-token "$T" --bundle FILE.bundle FILE
cosign verify-blob --trusted-root trusted_root.json --certificate-identity dev@example.com --certificate-oidc-issuer http://localhost:8360/oidc --bundle FILE.bundle FILE

# sigstore (Python)
sigstore --trust-config client_trust_config.json sign --identity-token "$T" --bundle FILE.sigstore.json FILE
sigstore --trust-config client_trust_config.json verify identity --cert-identity dev@example.com --cert-oidc-issuer http://localhost:8360/oidc --bundle FILE.sigstore.json FILE

ready http://localhost:8360
`)
  })

  it('speaks of no demonstration where there is none, and ends with the line that scripts wait for', () => {
    const text = greeting({
      ...input,
      publicUrl: 'https://touchmark.example.com',
      demo: false,
      loginUrl: 'https://login.example.com',
      first: false,
    })
    expect(text).not.toMatch(/demo|token/i)
    expect(text).toContain('Touchmark is back: https://touchmark.example.com\n')
    expect(text).toContain('--certificate-identity YOU@EXAMPLE.COM --certificate-oidc-issuer https://login.example.com')
    expect(text.endsWith('\nready http://localhost:8360\n')).toBe(true)
  })

  it('warns when anybody could reach the demonstration issuer', () => {
    const warning = 'whoever reaches it can sign as anybody'
    expect(greeting({ ...input, publicUrl: 'https://touchmark.example.com' })).toContain(warning)
    expect(greeting({ ...input, publicUrl: 'https://touchmark.example.com', demo: false })).not.toContain(warning)
  })

  it('leaves a gap to fill where only machines have issuers', () => {
    expect(greeting({ ...input, demo: false, loginUrl: undefined })).toContain('--certificate-oidc-issuer ISSUER')
  })
})
