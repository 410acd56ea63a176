import { describe, expect, test } from 'vitest';
import { actor, picture, STATUS } from '../../../test/kits/samples/inspector.ts';
import type { ActorView, StatusView } from '../wire.ts';
import { createModel } from './model.ts';
import { overviewOf } from './overview.ts';

const at = (actors: ActorView[], status: Partial<StatusView> = {}) =>
  overviewOf(createModel({ picture: picture(actors, { status: { ...STATUS, ...status } }), history: [] }));

const session = (task: string, changes: Partial<ActorView>): ActorView =>
  actor(`supervisor/delivery/notification:a/${task}`, {
    id: `notification:a/${task}`,
    machine: 'notification',
    tags: [],
    ...changes,
  });

const titles = (cards: readonly { title: string }[]): string[] => cards.map(({ title }) => title);

describe('what is going on', () => {
  test('nothing: one sentence says so', () => {
    expect(at([actor('supervisor'), actor('supervisor/gateway')])).toEqual({
      sentence: 'All is well. Nothing to do right now.',
      trouble: [],
      works: [],
      waits: [],
      queued: 0,
    });
  });

  test('who works, what waits and what rests, by agent and task, the oldest first', () => {
    const actors = [
      session('1', { states: ['working.running'], tags: ['busy'], since: 20, title: 'qa · Test it' }),
      session('2', { states: ['working.running'], tags: ['busy'], since: 10, title: 'engineer · Fix it' }),
      session('3', { states: ['queueing.fresh'] }),
      session('4', { states: ['working.resting'], tags: ['degraded'], title: 'engineer · Ship it' }),
    ];
    const well = at(actors, { queued: 3 });
    expect(titles(well.works)).toEqual(['engineer · Fix it', 'qa · Test it']);
    // A run that failed is repeated: that is no trouble where all is well.
    expect(titles(well.waits)).toEqual(['engineer · Ship it', 'notification:a/3']);
    expect(titles(well.trouble)).toEqual([]);
    // Of three in the queue one waits for a slot and one rests.
    expect(well.queued).toBe(1);
    expect(well.sentence).toBe('All is well. 2 at work, 3 waiting.');

    const ill = at(actors, { queued: 3, status: 'degraded' });
    expect(titles(ill.waits)).toEqual(['notification:a/3']);
    expect(titles(ill.trouble)).toEqual(['engineer · Ship it']);
    expect(ill.sentence).toBe('One thing is in trouble. 2 at work, 2 waiting.');
  });

  test('a problem is told whole, with since when and when it is tried again', () => {
    const problem = 'The gateway does not answer: start it. It said "no".';
    const problems = [{ source: 'gateway', problem, since: 5, nextTryAt: 9 }];
    const gateway = actor('supervisor/gateway', { tags: ['degraded'] });
    const { trouble } = at([gateway], { status: 'degraded', problems });
    expect(trouble).toMatchObject([
      { title: 'gateway', text: problem, since: 5, nextAt: 9, tone: 'degraded', actor: gateway },
    ]);
  });

  test('an open run has its last sign and its limit; a silent one is attention, by agent and task, once', () => {
    const runs = [
      { id: 'notification:a/1', since: 1_000, lastSignAt: 3_000, until: 9_000 },
      { id: 'notification:a/2', since: 1_000, lastSignAt: 1_000, until: null },
    ];
    const actors = [
      session('1', { states: ['working.running.heard'], tags: ['busy'], title: 'engineer · Fix it' }),
      session('2', { states: ['working.running.silent'], tags: ['attention'], title: 'qa · Test it' }),
    ];
    const problem = 'The run of qa on "Test it" is open and the gateway has sent nothing for 5 min.';
    const problems = [{ source: 'run:a/2', problem, since: 5, nextTryAt: null }];
    const { trouble, works, sentence } = at(actors, { status: 'degraded', problems, runs });
    expect(trouble).toMatchObject([
      { title: 'qa · Test it', tone: 'attention', text: problem, run: runs[1], actor: actors[1] },
    ]);
    expect(works).toMatchObject([
      { title: 'engineer · Fix it', run: runs[0] },
      { title: 'qa · Test it', tone: 'attention' },
    ]);
    expect(sentence).toBe('One thing is in trouble. 2 at work.');
  });

  test('problems bear the names of agents and tasks, the widest first; what rests because of them waits', () => {
    const actors = [
      actor('supervisor/gateway', { tags: ['degraded'] }),
      actor('supervisor/delivery', { tags: ['degraded'] }),
      actor('supervisor/delivery/trouble:session:a/1', { machine: 'trouble', tags: ['degraded'] }),
      session('1', { tags: ['degraded'], title: 'qa · Test it' }),
    ];
    const of = (source: string) => ({ source, problem: `${source}.`, since: 1, nextTryAt: null });
    const problems = ['tokens:qa', 'session:a/1', 'agent:a', 'gateway'].map(of);
    const { trouble, waits, sentence } = at(actors, { status: 'degraded', problems });
    expect(titles(trouble)).toEqual(['gateway', 'qa rests', 'qa · Test it', 'qa']);
    expect(titles(waits)).toEqual(['qa · Test it']);
    expect(sentence).toBe('4 things are in trouble. 1 waiting.');
  });

  test('agents that cannot be reached are one card, and what wants attention is one', () => {
    const beats = ['a', 'b', 'c', 'd', 'e', 'f'].map((slug) =>
      actor(`supervisor/heartbeat:${slug}`, { tags: ['degraded'], states: ['unreachable'] }),
    );
    const upgrade = actor('supervisor/upgrade', { tags: ['ready', 'attention'], states: ['available'] });
    const { trouble } = at([...beats, upgrade], { status: 'degraded' });
    expect(titles(trouble)).toEqual(['upgrade', '6 agents']);
    expect(trouble[1]?.text).toBe('Cannot be reached: a, b, c, d, e and 1 more.');
  });
});
