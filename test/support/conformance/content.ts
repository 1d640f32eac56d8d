/** The smallest contents of each kind, and results made of them. */
import type { CallToolResult } from '@modelcontextprotocol/server'

/** A PNG of one red pixel. */
export const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=='
/** A WAV of one silent sample. */
export const SILENCE = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA='

export const textBlock = (text: string) => ({ type: 'text' as const, text })
export const pixelBlock = { type: 'image' as const, data: PIXEL, mimeType: 'image/png' }
export const resourceBlock = (uri: string, mimeType: string, text: string) => ({
  type: 'resource' as const,
  resource: { uri, mimeType, text },
})

export const resultOf = (...content: CallToolResult['content']): CallToolResult => ({ content })
export const textResult = (text: string): CallToolResult => resultOf(textBlock(text))
