import { decodeV1Extra } from '@touchmark/entry'
import type { VirtualIndex } from './virtual-index.js'
import { entryIdOf, entryJson, promisedText, type ProvenEntry } from './entry-answer.js'
import type { V1Tree } from './v1-trees.js'

/** Signs a proven entry and writes it. */
export async function signedEntryJson(entry: ProvenEntry, tree: V1Tree): Promise<string> {
  const promised = promisedText(entry)
  return entryJson(entry, promised, await tree.signEntry(Buffer.from(`{${promised}}`)))
}

/** The JSON of an entry that is in a tree, proven under the tree's newest head; undefined beyond it. */
export async function readEntryJson(virtual: VirtualIndex, tree: V1Tree, index: bigint): Promise<string | undefined> {
  const { log, treeId } = tree
  const { size, root, note } = await log.checkpoint()
  if (index >= size) return undefined
  const [[leaf], hashes, offset] = await Promise.all([
    log.entries(index, index + 1n),
    log.inclusionProof(index, size),
    virtual.offsetOf(tree),
  ])
  if (leaf === undefined) return undefined
  const entry: ProvenEntry = {
    ...decodeV1Extra(leaf.extra),
    entryId: entryIdOf(treeId, leaf.leafHash),
    body: leaf.body,
    logIdHex: Buffer.from(log.logId).toString('hex'),
    virtualIndex: offset + index,
    index,
    proof: { size, root, hashes, checkpoint: note },
  }
  return signedEntryJson(entry, tree)
}

/** The same by its leaf hash; undefined when the tree does not have it. */
export async function findEntryJson(
  virtual: VirtualIndex,
  tree: V1Tree,
  leafHash: Uint8Array,
): Promise<string | undefined> {
  const index = await tree.log.indexOf(leafHash)
  return index === undefined ? undefined : readEntryJson(virtual, tree, index)
}
