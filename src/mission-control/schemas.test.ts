import { expect, test } from 'vitest';
import * as v from 'valibot';
import { deliveryContext, sharedWithLast } from './schemas.ts';
import { sampleContext } from '../../test/kits/samples/mission-control.ts';

test('an equal value is the one before; another takes its place', () => {
  const share = sharedWithLast<{ n: number }>((one, other) => one.n === other.n);
  const [first, equal, other] = [{ n: 1 }, { n: 1 }, { n: 2 }];
  expect([share(first), share(equal), share(other), share(equal)]).toEqual([first, first, other, equal]);
  expect(share({ n: 1 })).toBe(equal);
});

test('contexts have agents and documents in common, as long as these are the same', () => {
  const agents = [
    { id: 'a', slug: 'engineer', name: 'Engineer', role: 'Builds' },
    { id: 'b', slug: 'writer', name: 'Writer', role: 'Writes' },
  ];
  const doc = { title: 'Read me', content: 'x'.repeat(1_000) };
  const read = (changes: object) =>
    v.parse(
      deliveryContext,
      structuredClone({ ...sampleContext(), mentionableAgents: agents, repositoryDoc: doc, ...changes }),
    );
  const [one, other] = [read({}), read({})];
  expect(other).toEqual(one);
  expect(other?.mentionableAgents).toBe(one?.mentionableAgents);
  expect(other?.repositoryDoc).toBe(one?.repositoryDoc);
  const renamed = agents.map((agent) => ({ ...agent, name: 'Somebody else' }));
  expect(read({ mentionableAgents: renamed, repositoryDoc: null })).toMatchObject({
    mentionableAgents: renamed,
    repositoryDoc: null,
  });
  expect(read({ mentionableAgents: agents.slice(1) })?.mentionableAgents).toEqual(agents.slice(1));
});
