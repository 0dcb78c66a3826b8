/**
 * The server's settings: small, durable, reachable from this machine only. They are given on the command line at each
 * start, so a new release changes an old cluster too; nothing here is secret.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  cluster_name: 'touchmark',
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '60',
  password_encryption: 'scram-sha-256',

  // An answer is given after COMMIT: these decide that the commit is on the disk by then.
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',

  shared_buffers: '128MB',
  max_wal_size: '1GB',
  io_method: 'sync',
  jit: 'off',
  max_worker_processes: '4',
  max_parallel_workers_per_gather: '0',
  max_logical_replication_workers: '0',

  // A client that vanished must not keep the row lock of a log until its statement ends.
  client_connection_check_interval: '1s',
  tcp_keepalives_idle: '30',
  tcp_keepalives_interval: '10',
  tcp_keepalives_count: '3',

  lc_messages: 'C',
  log_timezone: 'UTC',
  timezone: 'UTC',
  log_checkpoints: 'off',
  log_line_prefix: '%m [%p] %a ',
  // Values may be personal (identities), and statements of a role change hold verifiers.
  log_parameter_max_length_on_error: '0',
}

/** The command line of the server behind its program's name. `-D` comes first: it also tells whose process it is. */
export function serverArguments(dataFolder: string, port: number, extra: Readonly<Record<string, string>>): string[] {
  const settings = { ...SETTINGS, ...extra, port: String(port) }
  return ['-D', dataFolder, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}

/** The environment of every program of PostgreSQL that we start: nothing of ours leaks into it. */
export const SERVER_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
}
