/** What a caller must manage to come in where. Closed unless opened: what is not named here needs the whole organisation. */
import type { Manages } from '../identity/principal.ts'

type Area = { readonly methods: string; readonly path: string; readonly needs: Manages }

const AREAS: readonly Area[] = [
  { methods: 'GET', path: '/api/v1/tools', needs: 'own' },
  { methods: 'POST', path: '/api/v1/tools/call', needs: 'own' },
  { methods: '*', path: '/api/v1/servers', needs: 'services' },
  { methods: 'GET', path: '/metrics', needs: 'services' },
  { methods: '*', path: '/register', needs: 'services' },
  { methods: '*', path: '/services', needs: 'services' },
  { methods: '*', path: '/update', needs: 'services' },
  { methods: '*', path: '/delete', needs: 'services' },
  { methods: '*', path: '/mcp/services', needs: 'services' },
  { methods: '*', path: '/gateway', needs: 'services' },
  // Whose keys is decided behind it.
  { methods: '*', path: '/api/v1/keys', needs: 'own' },
]

const WIDTH: Readonly<Record<Manages, number>> = { own: 0, services: 1, all: 2 }

export function mayEnter(manages: Manages, method: string, path: string): boolean {
  const area = AREAS.find(
    (each) =>
      (each.methods === '*' || each.methods.split(' ').includes(method)) &&
      (path === each.path || path.startsWith(`${each.path}/`)),
  )
  return WIDTH[manages] >= WIDTH[area?.needs ?? 'all']
}
