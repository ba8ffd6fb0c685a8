import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Grant {
  scope: string;
  /** Of one grant: whoever shows an old refresh token ends all of it (RFC 9700, 4.14.2). */
  refresh: string[];
  revoked: boolean;
}

/** An authorization server that follows RFC 6749, 7636, 7009 and 8628 and refuses what they say it must; for tests. */
export interface FakeAuthority extends AsyncDisposable {
  readonly url: string;
  /** As the owner's browser: follows the address, says yes, and gives where it is sent back to. */
  approve(authorizeUrl: string, say?: 'yes' | 'no'): Promise<URL>;
  /** On the device page. */
  typeIn(userCode: string, say?: 'yes' | 'no'): void;
  /** Whether an access token holds. */
  isValid(accessToken: string): boolean;
  revokeAll(): void;
  readonly asked: { readonly path: string; readonly form: URLSearchParams; readonly authorization: string | undefined }[];
  /** What it is like. */
  readonly ways: {
    expiresIn: number;
    rotates: boolean;
    down: boolean;
    refreshExpiresIn: number | null;
    gracePeriod: boolean;
    delayMs: number;
  };
}

const CLIENT = { id: 'castellan', secret: 'client-secret-0815' };

export async function startFakeAuthority(now: () => number): Promise<FakeAuthority> {
  const ways = { expiresIn: 3600, rotates: true, down: false, refreshExpiresIn: null as number | null, gracePeriod: false, delayMs: 0 };
  const asked: { path: string; form: URLSearchParams; authorization: string | undefined }[] = [];
  const codes = new Map<string, { challenge: string; redirect: string; scope: string; used: Grant | null }>();
  const devices = new Map<
    string,
    { user: string; scope: string; said: 'yes' | 'no' | null; last: number; interval: number; until: number }
  >();
  const access = new Map<string, { grant: Grant; until: number }>();
  const grants: Grant[] = [];
  const token = (): string => randomBytes(24).toString('base64url');

  function give(grant: Grant): object {
    const [accessToken, refreshToken] = [token(), token()];
    access.set(accessToken, { grant, until: now() + ways.expiresIn * 1_000 });
    if (ways.rotates || grant.refresh.length === 0) grant.refresh.push(refreshToken);
    return {
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: ways.expiresIn,
      scope: grant.scope,
      ...((ways.rotates || grant.refresh.length === 1) && { refresh_token: grant.refresh.at(-1) }),
      ...(ways.refreshExpiresIn !== null && { refresh_token_expires_in: ways.refreshExpiresIn }),
    };
  }

  function newGrant(scope: string): Grant {
    const grant = { scope, refresh: [], revoked: false };
    grants.push(grant);
    return grant;
  }

  function isClient(form: URLSearchParams, authorization: string | undefined): boolean {
    if (authorization?.startsWith('Basic '))
      return Buffer.from(authorization.slice(6), 'base64').toString() === `${CLIENT.id}:${CLIENT.secret}`;
    return form.get('client_id') === CLIENT.id && form.get('client_secret') === CLIENT.secret;
  }

  function answer(path: string, form: URLSearchParams, authorization: string | undefined): [number, object] {
    const no = (error: string, status = 400): [number, object] => [status, { error, error_description: `because: ${error}` }];
    if (!isClient(form, authorization)) return no('invalid_client', 401);
    if (path === '/device') {
      const [device, user] = [token(), randomBytes(4).toString('hex').toUpperCase()];
      devices.set(device, { user, scope: form.get('scope') ?? '', said: null, last: 0, interval: 5_000, until: now() + 600_000 });
      return [200, { device_code: device, user_code: user, verification_uri: `${url}/type`, expires_in: 600, interval: 5 }];
    }
    if (path === '/revoke') {
      const grant = grants.find(({ refresh }) => refresh.includes(form.get('token') ?? ''));
      if (grant) grant.revoked = true;
      return [200, {}];
    }
    switch (form.get('grant_type')) {
      case 'authorization_code': {
        const found = codes.get(form.get('code') ?? '');
        if (found?.used) found.used.revoked = true; // RFC 6749, 4.1.2: a code shown twice ends what came of it
        if (!found || found.used || found.redirect !== form.get('redirect_uri')) return no('invalid_grant');
        if (
          createHash('sha256')
            .update(form.get('code_verifier') ?? '')
            .digest('base64url') !== found.challenge
        )
          return no('invalid_grant');
        return [200, give((found.used = newGrant(found.scope)))];
      }
      case 'refresh_token': {
        const given = form.get('refresh_token') ?? '';
        const grant = grants.find(({ refresh }) => refresh.includes(given));
        if (!grant || grant.revoked) return no('invalid_grant');
        const place = grant.refresh.length - 1 - grant.refresh.indexOf(given);
        if (ways.rotates && place > (ways.gracePeriod ? 1 : 0)) {
          grant.revoked = true;
          return no('invalid_grant');
        }
        return [200, give(grant)];
      }
      case 'urn:ietf:params:oauth:grant-type:device_code': {
        const found = devices.get(form.get('device_code') ?? '');
        if (!found || found.until <= now()) return no('expired_token');
        const isFast = now() - found.last < found.interval;
        found.last = now();
        if (isFast) {
          found.interval += 5_000;
          return no('slow_down');
        }
        if (found.said === null) return no('authorization_pending');
        if (found.said === 'no') return no('access_denied');
        devices.delete(form.get('device_code')!);
        return [200, give(newGrant(found.scope))];
      }
      default:
        return no('unsupported_grant_type');
    }
  }

  function approve(authorizeUrl: string, say: 'yes' | 'no'): URL {
    const { searchParams: query } = new URL(authorizeUrl);
    if (query.get('client_id') !== CLIENT.id || query.get('response_type') !== 'code' || query.get('code_challenge_method') !== 'S256')
      throw new Error('invalid_request');
    const back = new URL(query.get('redirect_uri')!);
    back.searchParams.set('state', query.get('state')!);
    back.searchParams.set('iss', url);
    if (say === 'no') back.searchParams.set('error', 'access_denied');
    else {
      const code = token();
      codes.set(code, {
        challenge: query.get('code_challenge')!,
        redirect: query.get('redirect_uri')!,
        scope: query.get('scope') ?? '',
        used: null,
      });
      back.searchParams.set('code', code);
    }
    return back;
  }

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    const path = new URL(req.url!, 'http://x').pathname;
    if (path === '/authorize') return void res.writeHead(302, { location: approve(new URL(req.url!, url).href, 'yes').href }).end(); // the owner says yes
    asked.push({ path, form, authorization: req.headers.authorization });
    if (ways.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, ways.delayMs));
    if (ways.down) return void res.writeHead(503).end('down');
    const [status, body] = answer(path, form, req.headers.authorization);
    res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  const server = createServer((req, res) => void handle(req, res));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    asked,
    ways,
    approve: async (authorizeUrl, say = 'yes') => approve(authorizeUrl, say),
    typeIn(userCode, say = 'yes') {
      for (const device of devices.values()) if (device.user === userCode) device.said = say;
    },
    isValid: (accessToken) => {
      const found = access.get(accessToken);
      return found !== undefined && !found.grant.revoked && found.until > now();
    },
    revokeAll: () => grants.forEach((grant) => (grant.revoked = true)),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
