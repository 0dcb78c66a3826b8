import { describe, expect, it } from '@jest/globals'
import type { Request, Response } from 'express'
import { answerUnrouted, pathByShape, shapeOf, type ApiShape } from './api-shape.js'

function shape(prefix: string, routes: ApiShape['routes'] = [], said: string[] = []): ApiShape {
  return {
    prefix,
    routes,
    notFound: () => void said.push('not found'),
    methodNotAllowed: (_request, _response, allowed) => void said.push(`allowed ${allowed.join(' ')}`),
  }
}
const asking = (method: string): [Request, Response] => [{ method } as Request, {} as Response]

describe('shapeOf', () => {
  const shapes = [shape('/'), shape('/api/v2/log'), shape('/api/v2'), shape('/api/v2/tile')]

  it.each([
    ['/api/v2/log/entries', '/api/v2/log'],
    ['/api/v2/log', '/api/v2/log'],
    ['/api/v2/logs', '/api/v2'],
    ['/api/v2/other', '/api/v2'],
    ['/api/v20', '/'],
    ['/', '/'],
  ])('%s belongs to %s: the longest prefix up to a slash', (path, prefix) =>
    expect(shapeOf(shapes, path)?.prefix).toBe(prefix),
  )

  it('knows no shape for what is below none', () => {
    expect(shapeOf([shape('/api')], '/other')).toBeUndefined()
    expect(shapeOf(shapes, '*')).toBeUndefined()
  })
})

describe('answerUnrouted', () => {
  const routes = [
    { method: 'POST', path: /^\/a$/ },
    { method: 'PUT', path: /^\/a$/ },
    { method: 'PUT', path: /^\/./ },
    { method: 'GET', path: /^\/b$/ },
  ]

  it.each([
    ['POST', '/a', false, []],
    ['GET', '/b', false, []],
    ['GET', '/a', true, ['allowed POST PUT']],
    ['HEAD', '/b', true, ['allowed PUT GET']],
    ['GET', '/', true, ['not found']],
    ['OPTIONS', '/', true, ['not found']],
  ])('%s %s is answered: %s', (method, path, answered, expected) => {
    const said: string[] = []
    expect(answerUnrouted(shape('/', routes, said), ...asking(method), path)).toBe(answered)
    expect(said).toEqual(expected)
  })

  it('asks for a preflight at every OPTIONS and at nothing else', () => {
    const said: string[] = []
    const withPreflight: ApiShape = {
      ...shape('/', routes, said),
      preflight: () => {
        said.push('preflight')
        return true
      },
    }
    expect(answerUnrouted(withPreflight, ...asking('OPTIONS'), '/none')).toBe(true)
    expect(answerUnrouted(withPreflight, ...asking('GET'), '/b')).toBe(false)
    expect(said).toEqual(['preflight'])
    const declines: ApiShape = { ...withPreflight, preflight: () => false }
    expect(answerUnrouted(declines, ...asking('OPTIONS'), '/b')).toBe(true)
    expect(said).toEqual(['preflight', 'allowed PUT GET'])
  })
})

describe('pathByShape', () => {
  const shapes = [{ ...shape('/api/v1/log'), cleanPath: true }, shape('/api/v2/log'), shape('/')]
  it.each([
    ['/api/v1/log/entries/', '/api/v1/log/entries'],
    ['/api//v1/log///entries//x/', '/api/v1/log/entries/x'],
    ['/api/v1/log/entries', '/api/v1/log/entries'],
    ['/api/v2/log/entries/', '/api/v2/log/entries/'],
    ['/api/v2//log', '/api/v2//log'],
    ['/other//x/', '/other//x/'],
    ['/', '/'],
  ])('reads %s as %s', (path, clean) => expect(pathByShape(shapes, path)).toBe(clean))
})
