import type { CliContext } from '../context.js'
import { demoLogin } from '../oidc/demo-login.js'
import { discoverProvider } from '../oidc/discovery.js'
import { printJson, rows } from '../output.js'
import { issuerUrl } from '../services.js'
import { login, type TokenOptions } from '../tokens.js'
import { trustCurrentInstance, type InstanceOptions } from '../trust-store.js'

/** `touchmark login`: a fresh token, kept until it expires. */
export async function loginCommand(context: CliContext, options: InstanceOptions & TokenOptions): Promise<void> {
  const instance = await trustCurrentInstance(context, options)
  const { claims } = await login(context, issuerUrl(context, instance), options)
  const said = {
    identity: claims.principal,
    issuer: claims.issuer,
    expiresAt: claims.expiresAt?.toISOString() ?? 'unknown',
  }
  if (context.json) return printJson(context, said)
  context.out(
    `Logged in.\n${rows([
      ['identity', said.identity],
      ['issuer', said.issuer],
      ['until', said.expiresAt],
    ])}`,
  )
}

/** `touchmark token --email …`: a token of the demonstration issuer, without a browser. Any other issuer is refused. */
export async function tokenCommand(
  context: CliContext,
  options: InstanceOptions & { email: string; name?: string },
): Promise<void> {
  const instance = await trustCurrentInstance(context, options)
  const provider = await discoverProvider(issuerUrl(context, instance), context.http)
  const token = await demoLogin(provider, { email: options.email, name: options.name ?? options.email }, context.http)
  if (context.json) return printJson(context, { token })
  context.out(`${token}\n`)
}
