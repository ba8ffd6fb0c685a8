import type { Server, TLSSocket } from 'node:tls';
import type { Socket } from 'node:net';
import type { Bus } from '#core/bus';
import { AppError } from '#core/errors';
import { factsOf } from '#doors';

export interface ClientsDeps {
  readonly bus: Bus;
  /** The name that a certificate of this fingerprint comes in under; empty for one made elsewhere, null for one that must stay out. */
  readonly admits: (fingerprint: string) => Promise<string | null>;
  /** Told of a certificate that was good enough for the handshake, and is not let in. */
  readonly onRefusal: (error: AppError) => void;
}

/** Who is at the other end of a connection, by certificate. */
export interface Clients {
  /** Holds a server to it: connections with a revoked certificate end with the handshake, and those that are open when it is revoked. */
  guard(server: Server, signal: AbortSignal): void;
  /** Asked for every request. Throws `http.bad_certificate`. */
  nameOf(socket: Socket): Promise<string>;
}

interface Peer {
  readonly fingerprint: string;
  readonly name: string;
}

/** The handshake has proved that the certificate is of the right authority and its key is there; whether it is still good is asked here. */
export function createClients({ bus, admits, onRefusal }: ClientsDeps): Clients {
  const peers = new WeakMap<Socket, Peer | null>();
  const open = new Set<TLSSocket>();

  function peerOf(socket: Socket): Peer | null {
    const known = peers.get(socket);
    if (known !== undefined) return known;
    const certificate = (socket as Partial<TLSSocket>).getPeerX509Certificate?.();
    const peer = certificate ? { fingerprint: certificate.fingerprint256, name: factsOf(certificate.toString()).name } : null;
    peers.set(socket, peer);
    return peer;
  }

  return {
    guard(server, signal) {
      server.on('secureConnection', (socket) => {
        open.add(socket);
        socket.once('close', () => open.delete(socket));
        const peer = peerOf(socket);
        if (!peer) return void socket.destroy();
        admits(peer.fingerprint).then(
          (name) => {
            if (name !== null) return;
            socket.destroy();
            onRefusal(notLetIn(peer));
          },
          () => socket.destroy(),
        );
      });
      bus.subscribe(
        'certificate.revoked',
        ({ fingerprint }) => {
          for (const socket of open) if (peerOf(socket)?.fingerprint === fingerprint) socket.destroy();
        },
        signal,
      );
    },

    async nameOf(socket) {
      const peer = peerOf(socket);
      const name = peer && (await admits(peer.fingerprint));
      if (peer && name !== null) return name || peer.name;
      throw notLetIn(peer);
    },
  };
}

function notLetIn(peer: Peer | null): AppError {
  return new AppError('forbidden', 'http.bad_certificate', 'That certificate is not let in: it was revoked, or is not known here', {
    certificate: peer?.name ?? '',
  });
}
