import type { Db, Tables } from '#core/db/store';

export type ChannelRow = Tables['channel_channel'];
export type SenderRow = Tables['channel_sender'];
export type InboundRow = Tables['channel_inbound'];
export type OutboundRow = Tables['channel_outbound'];
export type PartRow = Tables['channel_outbound_part'];

export async function allChannels(db: Db): Promise<ChannelRow[]> {
  return db.selectFrom('channel_channel').selectAll().orderBy('created_at').orderBy('id').execute();
}

export async function findChannel(db: Db, idOrName: string): Promise<ChannelRow | undefined> {
  const rows = await db
    .selectFrom('channel_channel')
    .selectAll()
    .where((eb) => eb.or([eb('id', '=', idOrName), eb('name', '=', idOrName)]))
    .execute();
  return rows.find((row) => row.id === idOrName) ?? rows[0];
}

export async function insertChannel(tx: Db, row: ChannelRow): Promise<void> {
  await tx.insertInto('channel_channel').values(row).execute();
}

export async function updateChannel(tx: Db, id: string, set: Partial<ChannelRow>): Promise<void> {
  await tx.updateTable('channel_channel').set(set).where('id', '=', id).execute();
}

export async function deleteChannel(tx: Db, id: string): Promise<void> {
  await tx.deleteFrom('channel_channel').where('id', '=', id).execute();
}

export async function findSender(db: Db, channel: string, sender: string): Promise<SenderRow | undefined> {
  return db.selectFrom('channel_sender').selectAll().where('channel', '=', channel).where('sender', '=', sender).executeTakeFirst();
}

export async function sendersOf(db: Db, channel: string): Promise<SenderRow[]> {
  return db
    .selectFrom('channel_sender')
    .selectAll()
    .where('channel', '=', channel)
    .orderBy('last_seen_at', 'desc')
    .orderBy('sender')
    .execute();
}

export async function pairedSenders(db: Db): Promise<SenderRow[]> {
  return db.selectFrom('channel_sender').selectAll().where('status', '=', 'paired').orderBy('paired_at').execute();
}

export async function findSenderByCode(db: Db, codeHash: string, now: number): Promise<SenderRow | undefined> {
  return db
    .selectFrom('channel_sender')
    .selectAll()
    .where('code_hash', '=', codeHash)
    .where('code_expires_at', '>', now)
    .where('status', '=', 'stranger')
    .executeTakeFirst();
}

/** How many strangers of a channel hold a code that is still good. */
export async function countCodes(db: Db, channel: string, now: number): Promise<number> {
  const { n } = await db
    .selectFrom('channel_sender')
    .select(({ fn }) => fn.countAll<number>().as('n'))
    .where('channel', '=', channel)
    .where('code_expires_at', '>', now)
    .executeTakeFirstOrThrow();
  return Number(n);
}

export async function upsertSender(tx: Db, row: SenderRow): Promise<void> {
  const { channel: _channel, sender: _sender, ...set } = row;
  await tx
    .insertInto('channel_sender')
    .values(row)
    .onConflict((on) => on.columns(['channel', 'sender']).doUpdateSet(set))
    .execute();
}

/** False when the platform's id was known: a redelivery. */
export async function insertInbound(tx: Db, row: InboundRow): Promise<boolean> {
  const result = await tx
    .insertInto('channel_inbound')
    .values(row)
    .onConflict((on) => on.columns(['channel', 'message_id']).doNothing())
    .executeTakeFirst();
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

/** The oldest message of a lane that waits to be handled. */
export async function nextInbound(db: Db, channel: string, chat: string, lane: InboundRow['lane']): Promise<InboundRow | undefined> {
  return db
    .selectFrom('channel_inbound')
    .selectAll()
    .where('channel', '=', channel)
    .where('chat', '=', chat)
    .where('lane', '=', lane)
    .where('status', '=', 'received')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
}

export async function findInbound(db: Db, id: string): Promise<InboundRow | undefined> {
  return db.selectFrom('channel_inbound').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function updateInbound(tx: Db, id: string, set: Partial<InboundRow>): Promise<void> {
  await tx.updateTable('channel_inbound').set(set).where('id', '=', id).execute();
}

/** Newest first, before `cursor` (an id). */
export async function inboundOf(db: Db, channel: string, limit: number, cursor: string | undefined): Promise<InboundRow[]> {
  let query = db.selectFrom('channel_inbound').selectAll().where('channel', '=', channel).orderBy('id', 'desc').limit(limit);
  if (cursor !== undefined) query = query.where('id', '<', cursor);
  return query.execute();
}

export async function deleteOldMessages(tx: Db, before: number): Promise<void> {
  await tx.deleteFrom('channel_inbound').where('received_at', '<', before).where('status', '!=', 'received').execute();
  await tx.deleteFrom('channel_outbound').where('created_at', '<', before).where('status', '!=', 'open').execute();
}

export async function findOutbound(db: Db, id: string): Promise<OutboundRow | undefined> {
  return db.selectFrom('channel_outbound').selectAll().where('id', '=', id).executeTakeFirst();
}

/** One message, in all the chats it goes to. */
export async function outboundsOf(db: Db, key: string): Promise<OutboundRow[]> {
  return db.selectFrom('channel_outbound').selectAll().where('key', '=', key).orderBy('id').execute();
}

export async function partsOf(db: Db, outbound: string): Promise<PartRow[]> {
  return db.selectFrom('channel_outbound_part').selectAll().where('outbound', '=', outbound).orderBy('part').execute();
}

export async function insertOutbound(tx: Db, row: OutboundRow): Promise<void> {
  await tx.insertInto('channel_outbound').values(row).execute();
}

export async function updateOutbound(tx: Db, id: string, set: Partial<OutboundRow>): Promise<void> {
  await tx.updateTable('channel_outbound').set(set).where('id', '=', id).execute();
}

export async function replaceParts(tx: Db, outbound: string, parts: readonly PartRow[]): Promise<void> {
  await tx.deleteFrom('channel_outbound_part').where('outbound', '=', outbound).execute();
  if (parts.length > 0)
    await tx
      .insertInto('channel_outbound_part')
      .values([...parts])
      .execute();
}

export async function updatePart(tx: Db, outbound: string, part: number, set: Partial<PartRow>): Promise<void> {
  await tx.updateTable('channel_outbound_part').set(set).where('outbound', '=', outbound).where('part', '=', part).execute();
}

/** The caller's key of the message that the platform knows by this id. */
export async function keyOfMessage(db: Db, channel: string, chat: string, messageId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('channel_outbound_part')
    .innerJoin('channel_outbound', 'channel_outbound.id', 'channel_outbound_part.outbound')
    .select('channel_outbound.key')
    .where('channel_outbound_part.channel', '=', channel)
    .where('channel_outbound_part.chat', '=', chat)
    .where('message_id', '=', messageId)
    .executeTakeFirst();
  return row?.key;
}
