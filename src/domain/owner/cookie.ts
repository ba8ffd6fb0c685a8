import { USUAL_LIMITS } from './sessions.ts';

/** The session cookie, as the server sets it. */
export interface SessionCookie {
  readonly name: string;
  readonly attributes: {
    readonly httpOnly: true;
    readonly sameSite: 'strict';
    readonly secure: boolean;
    readonly path: '/';
    readonly maxAge: number;
  };
}

/** With TLS the name carries `__Host-`: no other host and no plain connection can then plant one (RFC 6265bis, section 4.1.3.2). */
export function sessionCookie(isTls: boolean): SessionCookie {
  return {
    name: isTls ? '__Host-castellan' : 'castellan',
    attributes: { httpOnly: true, sameSite: 'strict', secure: isTls, path: '/', maxAge: USUAL_LIMITS.absoluteMs / 1_000 },
  };
}
