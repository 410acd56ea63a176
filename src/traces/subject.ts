/** What a trace is about: one version of a notification, or one heartbeat. */
import type { AnyActorRef } from 'xstate';
import type { BeatInput } from '../../machines/beat/context.ts';
import type { NotificationContext } from '../../machines/notification/context.ts';
import { isSameVersion, versionOf, type Version } from '../../machines/notification/version.ts';
import type { NotificationRow } from '../../machines/shared/mission-control.ts';
import { actorName } from '../../machines/shared/actor-name.ts';
import { identityFrom, identityOf, type Identity } from './identity.ts';

export interface Subject {
  identity: Identity;
  name: string;
  /** null for a heartbeat. */
  version: Version | null;
  /** Its notification's id; null for a heartbeat. */
  id: string | null;
  /** When it began, in milliseconds since the epoch. */
  from: number;
  attributes: Readonly<Record<string, string>>;
}

/** As much of the contexts as a trace tells of. */
export type SessionContext =
  | ({ kind: 'notification' } & NotificationContext)
  | { kind: 'beat'; input: BeatInput; rounds: NotificationContext['entry']['rounds'] };

/** The context of the actor at the head of a session. null: it is another actor. */
export function contextOf(actor: AnyActorRef): SessionContext | null {
  const name = actorName(actor);
  const kind = name.startsWith('notification:') ? 'notification' : name.startsWith('beat:') ? 'beat' : null;
  if (kind === null) return null;
  const { context } = actor.getSnapshot() as { context: object };
  return { kind, ...context } as SessionContext;
}

export const slugIn = (context: SessionContext): string | null =>
  context.kind === 'beat' ? context.input.agent.slug : (context.delivery?.agent?.slug ?? null);

export const roundsIn = (context: SessionContext) =>
  context.kind === 'beat' ? context.rounds : context.entry.rounds;

/** The version in hand. */
export const versionIn = (context: SessionContext): Version | null =>
  context.kind === 'beat' ? null : (context.version ?? versionOf(context.row));

export const isOfVersion = ({ version }: Subject, other: Version | null): boolean =>
  version === null || other === null || isSameVersion(version, other);

export function subjectOf(accountId: string, context: SessionContext, now: number): Subject {
  if (context.kind === 'notification') return ofRow(accountId, context.row, versionIn(context));
  const { _id: agentId } = context.input.agent;
  return {
    identity: identityFrom([accountId, 'heartbeat', agentId, String(now)]),
    name: 'heartbeat',
    version: null,
    id: null,
    from: now,
    attributes: { 'mission_control.agent.id': agentId },
  };
}

/** @param version another one than the row's, where the row has moved */
export function ofRow(
  accountId: string,
  row: NotificationRow,
  version: Version | null = null,
): Subject & { id: string; version: Version } {
  const about = version ?? versionOf(row);
  return {
    identity: identityOf(accountId, row._id, about),
    name: `notification ${row.type}`,
    version: about,
    id: row._id,
    from: about.createdAt,
    attributes: {
      'mission_control.notification.id': row._id,
      'mission_control.notification.type': row.type,
      'mission_control.agent.id': row.recipientId,
      ...(row.taskId !== undefined && { 'mission_control.task.id': row.taskId }),
    },
  };
}
