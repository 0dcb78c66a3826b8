import { chmod, mkdir } from 'node:fs/promises'

/**
 * Makes the data folder of a first start. Others may pass through it, for as root the embedded PostgreSQL runs as another user and its cluster lies
 * inside; they can list nothing, and what is secret has modes of its own (DIR/keys 0700, DIR/passphrase 0600). A folder that is there is left as it is.
 */
export async function makeDataFolder(dir: string): Promise<void> {
  const made = await mkdir(dir, { recursive: true, mode: 0o711 })
  // The umask may have taken away more than was asked for.
  if (made !== undefined) await chmod(dir, 0o711)
}
