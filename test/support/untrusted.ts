/** An HTTPS server whose certificate nobody trusts: it signed it itself. */
import { once } from 'node:events'
import { createServer } from 'node:https'

/** Good for nothing else: key and certificate of localhost, valid until 2126. */
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQglIxdqp1eV0rW3Swe
vxPbD52I1lFCYI3Ncs4V28LhF/OhRANCAATvo9SYwUhpvEi9NA5KCx3ogoxVEZo/
8RESnNK2O/cPqXTK52hz6nNWCJCRUHMC9bwChSopcPjbSyjI58htFpes
-----END PRIVATE KEY-----`
const cert = `-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIULn9uWEY9njQHjG9swPvhesDs8NcwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTExMjUwNVoYDzIxMjYxMDI4
MTEyNTA1WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATvo9SYwUhpvEi9NA5KCx3ogoxVEZo/8RESnNK2O/cPqXTK52hz6nNW
CJCRUHMC9bwChSopcPjbSyjI58htFpeso28wbTAdBgNVHQ4EFgQUB9mRuWSVVCW7
dVCkyFvFtIUkm8IwHwYDVR0jBBgwFoAUB9mRuWSVVCW7dVCkyFvFtIUkm8IwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSQAwRgIhAKxIRXuppxEiiK9YT9sXKBFo/vB7abAjciWRG+vJ0qK+AiEA
zz4eOmy6igR3ztlcDSnGDUVkkdMoFalC+UfIQUjfVS8=
-----END CERTIFICATE-----`

export type Untrusted = {
  readonly url: string
  /** Connections that came, and requests that were sent on them. */
  readonly seen: { connections: number; requests: number }
  close(): Promise<void>
}

export async function startUntrusted(): Promise<Untrusted> {
  const seen = { connections: 0, requests: 0 }
  const server = createServer({ key, cert }, (_, response) => {
    seen.requests++
    response.end()
  })
  server.on('connection', () => void seen.connections++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    url: `https://127.0.0.1:${port}/mcp`,
    seen,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
