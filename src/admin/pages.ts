/**
 * What a browser shows of the management API: Swagger UI at /docs, Redoc at /redoc. They describe the software and
 * hold no data, so they are public. All that they need comes from here, and their policy allows nothing else (S34).
 */
import { Hono } from 'hono'
import {
  type Asset,
  ASSETS,
  type Library,
  libraryPath,
  type OwnFile,
  ownPath,
  REDOC,
  SWAGGER_UI,
} from './assets.ts'
import { type Problem, respondWithProblem } from './problem.ts'

/** The files of the pages: the binding ASSETS of wrangler.toml. */
export type Files = { fetch(url: string): Promise<Response> }

type Page = {
  readonly path: string
  readonly library: Library
  /** Ours, which starts it. */
  readonly script: OwnFile
  readonly policy: string
}

const PAGES: readonly Page[] = [
  { path: '/docs', library: SWAGGER_UI, script: 'docs.js', policy: describePolicy() },
  {
    path: '/redoc',
    library: REDOC,
    script: 'redoc.js',
    policy: describePolicy({
      // Of the two style elements that it makes: the empty one that its script fills, and that of its scroll bars.
      styles: [
        "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
        "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='",
      ],
      // Its search runs beside the page, from a text that its script holds.
      workers: ['blob:'],
    }),
  },
]

const A_YEAR_S = 31_536_000

/** `files`: absent where the gateway runs without them. */
export function pageRoutes(files: Files | undefined): Hono {
  const pages = new Hono()
  for (const page of PAGES) {
    pages.get(page.path, () => (files ? showPage(page) : respondWithProblem(noFiles)))
  }
  // A route for each file: no path of a request ever gets to where the files are.
  for (const asset of ASSETS) pages.get(asset.path, (c) => serveAsset(asset, files, c.req.raw.headers))
  return pages
}

function showPage({ library, script, policy }: Page): Response {
  const styles = [...library.styles.map((file) => libraryPath(library, file)), ownPath('page.css')]
  const scripts = [libraryPath(library, library.script), ownPath(script)]
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Switchyard API</title>
<link rel="icon" href="data:,">
${styles.map((path) => `<link rel="stylesheet" href="${path}">`).join('\n')}
</head>
<body>
<div id="page"></div>
${scripts.map((path) => `<script src="${path}"></script>`).join('\n')}
</body>
</html>
`
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy,
    'cross-origin-opener-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-cache',
  }
  return new Response(html, { headers })
}

type Sources = { readonly styles?: readonly string[]; readonly workers?: readonly string[] }

/** Nothing but what this gateway serves; `data:` is for the pictures of style sheets. */
function describePolicy({ styles = [], workers = ["'none'"] }: Sources = {}): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src ${["'self'", ...styles].join(' ')}`,
    "img-src 'self' data:",
    "connect-src 'self'",
    `worker-src ${workers.join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

async function serveAsset(
  { path, isFixed }: Asset,
  files: Files | undefined,
  asked: Headers,
): Promise<Response> {
  const etag = `"${path}"`
  const kept = { 'cache-control': `public, max-age=${A_YEAR_S}, immutable`, etag }
  const headers = {
    ...(isFixed ? kept : { 'cache-control': 'no-cache' }),
    'content-type': `${typeOf(path)}; charset=utf-8`,
    'cross-origin-resource-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
  }
  // Whoever compresses on the way marks the tag as weak.
  if (isFixed && asked.get('if-none-match')?.includes(etag))
    return new Response(null, { status: 304, headers })
  // The host is never looked up.
  const found = await files?.fetch(`https://assets${path}`)
  return found?.ok ? new Response(found.body, { headers }) : respondWithProblem(noFiles)
}

function typeOf(path: string): string {
  if (path.endsWith('.js')) return 'text/javascript'
  return path.endsWith('.css') ? 'text/css' : 'text/plain'
}

const noFiles: Problem = {
  status: 404,
  code: 'no_pages',
  title: 'No pages here',
  detail:
    'This gateway runs without the files of its pages: wrangler.toml declares them under [assets]. /openapi.json describes the API.',
}
