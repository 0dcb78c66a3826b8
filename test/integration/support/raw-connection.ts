import { connect, type Socket } from 'node:net'

/** A connection on which a test says byte for byte what is sent. */
export interface RawConnection {
  readonly socket: Socket
  /** Everything that was read from it, when the other side has closed it. */
  readonly ended: Promise<string>
  /** The head of the first answer, or what came instead when the connection ended before. */
  readonly head: Promise<string>
  read(): string
}

export function openRaw(port: number, text: string | Uint8Array = ''): RawConnection {
  const socket = connect(port, 'localhost')
  let all = ''
  let headed = (head: string): void => void head
  const head = new Promise<string>((resolve) => (headed = resolve))
  socket.on('data', (chunk: Buffer) => {
    all += chunk.toString()
    if (all.includes('\r\n\r\n')) headed(all)
  })
  socket.on('error', () => undefined)
  const ended = new Promise<string>((resolve) =>
    socket.once('close', () => {
      headed(all)
      resolve(all)
    }),
  )
  socket.write(text)
  return { socket, ended, head, read: () => all }
}

/** Sends a little again and again until the other side closes: what a slow client does. */
export function drip(connection: RawConnection, text: string, everyMs: number): void {
  const timer = setInterval(() => void (connection.socket.writable && connection.socket.write(text)), everyMs)
  connection.socket.once('close', () => clearInterval(timer))
}

export const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? 0)
