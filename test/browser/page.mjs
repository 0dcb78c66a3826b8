// What runs in the page: the verifier over @noble/curves and nothing else.
import { nobleCrypto } from '@touchmark/crypto/noble'
import { judge } from './judge.mjs'

globalThis.judge = (text) => judge(text, nobleCrypto)
