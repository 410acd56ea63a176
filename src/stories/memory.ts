import type { Story } from './story.ts';

/** How many notifications are remembered. The journal holds all that are not finished. */
const STORIES_KEPT = 1_000;

export interface Memory {
  get(id: string): Story | undefined;
  add(story: Story): void;
  all(): Story[];
}

/**
 * Forgets the notification that ended longest ago first. One that is under way is forgotten only when none has ended.
 */
export function createMemory(most = STORIES_KEPT): Memory {
  const stories = new Map<string, Story>();

  function forgetOne(): void {
    let oldest: Story | undefined;
    for (const story of stories.values()) {
      if (story.end !== null) {
        stories.delete(story.id);
        return;
      }
      oldest ??= story;
    }
    if (oldest !== undefined) stories.delete(oldest.id);
  }

  return {
    get: (id) => stories.get(id),
    add(story) {
      stories.delete(story.id);
      if (stories.size >= most) forgetOne();
      stories.set(story.id, story);
    },
    all: () => [...stories.values()],
  };
}
