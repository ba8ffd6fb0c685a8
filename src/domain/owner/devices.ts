import { AppError } from '#core/errors';
import type { Device } from './contract.ts';
import type { Owner } from './owner.ts';

/** Whoever may write to the owner's channels as the owner: the channels module knows them. */
export interface PairedSender {
  readonly channel: string;
  readonly id: string;
  readonly name: string;
  /** The channel, for people. */
  readonly where: string;
  readonly pairedAt: string | null;
  readonly lastSeenAt: string | null;
}

export interface Senders {
  list(): Promise<readonly PairedSender[]>;
  /** Makes one a stranger again. */
  unpair(channel: string, sender: string, actor: string): Promise<void>;
}

/** All that can act for the owner, in one list, last seen first. */
export async function devicesOf(owner: Owner, senders: Senders, currentSession: string | null): Promise<Device[]> {
  const [sessions, tokens, paired] = await Promise.all([owner.sessions.list(), owner.tokens.list(), senders.list()]);
  const devices: Device[] = [
    ...sessions.map((it) => ({
      id: `browser:${it.id}`,
      kind: 'browser' as const,
      name: it.device,
      detail: it.address,
      createdAt: it.createdAt,
      lastSeenAt: it.lastSeenAt,
      expiresAt: it.expiresAt,
      isCurrent: it.id === currentSession,
    })),
    ...paired.map((it) => ({
      id: `sender:${it.channel}:${it.id}`,
      kind: 'sender' as const,
      name: it.name,
      detail: it.where,
      createdAt: it.pairedAt,
      lastSeenAt: it.lastSeenAt,
      expiresAt: null,
      isCurrent: false,
    })),
    ...tokens
      .filter((it) => !it.isExpired)
      .map((it) => ({
        id: `token:${it.id}`,
        kind: 'token' as const,
        name: it.name,
        detail: it.grants.join(' '),
        createdAt: it.createdAt,
        lastSeenAt: it.lastUsedAt,
        expiresAt: it.expiresAt,
        isCurrent: false,
      })),
  ];
  return devices.toSorted((a, b) => (b.lastSeenAt ?? '').localeCompare(a.lastSeenAt ?? ''));
}

/** Throws `owner.no_device`, and what the kind of device throws. */
export async function revokeDevice(owner: Owner, senders: Senders, device: string, actor: string): Promise<void> {
  const [, kind, rest = ''] = /^(browser|sender|token):(.+)$/.exec(device) ?? [];
  const [, channel, sender] = /^([^:]+):(.+)$/.exec(rest) ?? [];
  if (kind === 'browser') await owner.revokeSession(rest, actor);
  else if (kind === 'token') await owner.tokens.revoke(rest, actor);
  else if (kind === 'sender' && channel !== undefined && sender !== undefined) await senders.unpair(channel, sender, actor);
  else throw new AppError('not_found', 'owner.no_device', 'No such device: list them with "castellan devices list"', { device });
}
