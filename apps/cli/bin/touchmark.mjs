#!/usr/bin/env node
import { load } from './load.mjs'

await load('main.cjs').main(process.argv.slice(2))
