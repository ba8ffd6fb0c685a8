import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Caller } from './endpoint.ts';

/** A route that reads and writes by itself, for protocols of others. The HTTP edge guards it like any other. */
export interface RawRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: `/${string}`;
  readonly grant: string;
  readonly summary: string;
  /** Headers beside `Authorization` in which this protocol's clients send their key. */
  readonly keyHeaders?: readonly string[];
  /** The body is unread and unbounded: `handle` limits it. What it throws before the answer began becomes an error answer. */
  readonly handle: (req: IncomingMessage, res: ServerResponse, about: RawRequest) => Promise<void>;
}

/** What a raw route may know beyond Node's own request. */
export interface RawRequest {
  readonly caller: Caller;
  /** Aborted when the client has gone or the server closes. */
  readonly signal: AbortSignal;
  /** Path parameters, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** Id of the request; an error answer carries it. */
  readonly id: string;
}
