import type { Story } from './story.ts';

/** So many notifications are remembered; the journal has those that are not finished. */
export const STORIES_KEPT = 1_000;

export interface Memory {
  get(id: string): Story | undefined;
  add(story: Story): void;
  all(): Story[];
}

/** Forgets what has ended longest ago first, and what is under way only where there is nothing else. */
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
