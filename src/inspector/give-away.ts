/**
 * Prepares what a recording may hold, because people share recordings: no titles of tasks, and only our own words of a
 * reason.
 */
import { statusToGiveAway } from './status.ts';
import type { Entry, Picture } from './wire.ts';

export const pictureToGiveAway = (picture: Picture): Picture => ({
  ...picture,
  status: statusToGiveAway(picture.status),
  actors: picture.actors.map((actor) => ({ ...actor, title: null })),
});

export function entriesToGiveAway(entries: readonly Entry[]): Entry[] {
  return entries.flatMap((entry): Entry[] => {
    switch (entry.kind) {
      case 'title':
        return [];
      case 'status':
        return [{ ...entry, status: statusToGiveAway(entry.status) }];
      case 'actor':
        return [{ ...entry, actor: { ...entry.actor, title: null } }];
      default:
        return [entry];
    }
  });
}
