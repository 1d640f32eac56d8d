/** How a service is spoken to: by streamable HTTP, or by the two endpoints of 2024-11-05 ("HTTP with SSE"). */
export type Transport = 'http' | 'sse'
