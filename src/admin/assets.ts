/**
 * The files that the pages of the API are made of, and their paths: the same behind the gateway's address as where
 * `local/assets.ts` puts them. Knows nothing of how they are served.
 */

export type Library = {
  readonly name: string
  /** As installed. It stands in the paths, so that a browser may keep what it got. */
  readonly version: string
  readonly script: string
  readonly styles: readonly string[]
  readonly notices: readonly string[]
}

export type Asset = {
  readonly path: string
  /** What is at this path never changes. */
  readonly isFixed: boolean
}

export const SWAGGER_UI: Library = {
  name: 'swagger-ui-dist',
  version: '5.35.0',
  script: 'swagger-ui-bundle.js',
  styles: ['swagger-ui.css'],
  notices: ['LICENSE', 'NOTICE', 'swagger-ui-bundle.js.LICENSE.txt'],
}

export const REDOC: Library = {
  name: 'redoc',
  version: '2.5.4',
  script: 'bundles/redoc.standalone.js',
  styles: [],
  notices: [
    'LICENSE',
    'bundles/redoc.standalone.js.LICENSE.txt',
    'bundles/d87bcbdbea8f8f5aa26f.worker.js.LICENSE.txt',
  ],
}

export const LIBRARIES: readonly Library[] = [SWAGGER_UI, REDOC]

/** Our own, from `pages/`. */
export const OWN_FILES = ['docs.js', 'redoc.js', 'page.css'] as const

export type OwnFile = (typeof OWN_FILES)[number]

export const ownPath = (file: OwnFile): string => `/assets/${file}`

export const libraryPath = ({ name, version }: Library, file: string): string =>
  `/assets/${name}-${version}/${file}`

export const filesOf = ({ script, styles, notices }: Library): readonly string[] => [
  script,
  ...styles,
  ...notices,
]

export const ASSETS: readonly Asset[] = [
  ...OWN_FILES.map((file) => ({ path: ownPath(file), isFixed: false })),
  ...LIBRARIES.flatMap((library) =>
    filesOf(library).map((file) => ({ path: libraryPath(library, file), isFixed: true })),
  ),
]
