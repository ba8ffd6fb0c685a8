import { randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '#core/errors';
import { createPages, type Page } from './pages.ts';

/** Where programs speak: no page answers here. */
const PROGRAMS = /^\/(api|v1|mcp|metrics|health|ready)(\/|$)/;

export interface NotFoundDeps {
  readonly staticDir: string;
  readonly known: readonly { readonly method: string; readonly path: string }[];
}

/** Answers what no route takes: a file of the web interface, its page for any address a person may open, 405 or 404. */
export function createNotFound({ staticDir, known }: NotFoundDeps): (request: FastifyRequest, reply: FastifyReply) => Promise<unknown> {
  const pages = createPages(staticDir);
  const patterns = known.map(({ method, path }) => ({
    method,
    pattern: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
  }));

  return async (request, reply) => {
    const path = pathOf(request.url);
    if (!PROGRAMS.test(path) && (request.method === 'GET' || request.method === 'HEAD')) {
      const page = await find(path, request);
      if (page) return reply.code(page.status).headers(page.headers).send(page.body);
    }
    const methods = patterns.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method);
    if (methods.length === 0)
      throw new AppError('not_found', 'http.not_found', `Nothing answers at ${request.method} ${path.slice(0, 200)}`);
    void reply.header('allow', methods.join(', '));
    throw new AppError('invalid', 'http.method_not_allowed', `${path.slice(0, 200)} takes ${methods.join(', ')}`);
  };

  async function find(path: string, { headers }: FastifyRequest): Promise<Page | null> {
    const file = await pages.file({
      path,
      acceptEncoding: String(headers['accept-encoding'] ?? ''),
      ifNoneMatch: headers['if-none-match'],
    });
    if (file || !headers.accept?.includes('text/html')) return file;
    return pages.index(randomBytes(16).toString('base64'));
  }
}

/** The decoded path of a request target; as sent where its percent signs are wrong. */
function pathOf(target: string): string {
  const path = target.split('?', 1)[0]!;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
