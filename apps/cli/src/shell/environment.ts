/** The variables that the commands read; docs/cli.md says more. */
export const ENVIRONMENT = [
  ['TOUCHMARK_INSTANCE', 'the Touchmark instance, when --instance does not name one'],
  ['TOUCHMARK_ROOT_FINGERPRINT', 'refuse a trust root, of an instance or a file, that has another fingerprint'],
  ['TOUCHMARK_HOME', 'where trust roots and logins are kept; else touchmark in XDG_CONFIG_HOME, else in ~/.config'],
  [
    'TOUCHMARK_TIMEOUT',
    'seconds that a service has for one answer, 1 to 3600; else 15. All tries of one request have five times that',
  ],
  [
    'TOUCHMARK_BROWSER',
    'none: show the address of the login page and open nothing. Anything else: use a browser also where standard error is no terminal',
  ],
  ['SIGSTORE_ID_TOKEN', 'an identity token'],
  ['TOUCHMARK_OIDC_CLIENT_ID', 'OAuth client and audience of the token; else sigstore'],
  ['TOUCHMARK_KEY_PASSWORD', 'password of a key file; COSIGN_PASSWORD is read too'],
  ['TOUCHMARK_PASSPHRASE', 'with up and the commands of the operator: the passphrase of the keys'],
  [
    'TOUCHMARK_GUARD',
    'with up and the commands of the operator: where the newest checkpoints are kept besides the database',
  ],
  [
    'TOUCHMARK_DATABASE_PASSWORD_FILE',
    'with up and the commands of the operator: a file with the password of the database',
  ],
  ['DATABASE_URL', 'with up and the commands of the operator: the PostgreSQL of the instance'],
  ['NODE_EXTRA_CA_CERTS', "file with the certificates of your organisation's own CA for web servers"],
] as const
