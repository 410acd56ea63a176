import { describe, expect, test } from 'vitest';
import { until } from '../../test/kits/until.ts';
import { MOST_UNREAD } from './hub.ts';
import { startInspectorServer, view } from '../../test/kits/inspector-server.ts';

const batch = (seq: number, data: unknown = []) => ({ name: 'entries' as const, data, id: `e.${seq}` });

describe('the stream', () => {
  test('begins with a greeting, goes on with batches and comments, all of it redacted', async () => {
    const { server, port } = await startInspectorServer(() => ({
      name: 'hello',
      data: ['a secret'],
      id: 'e.7',
    }));
    const viewer = await view(port);
    server.hub.tell(batch(8, ['another secret']));
    server.hub.heartbeat();
    await until('All of it is there', () => viewer.text().includes(': still here'));
    expect(viewer.text().replace(/data: \S{32}\n/, 'data: KEY\n')).toBe(
      [
        'retry: 500\nevent: key\ndata: KEY\n\n',
        'id: e.7\nevent: hello\ndata: ["a ***"]\n\n',
        'id: e.8\nevent: entries\ndata: ["another ***"]\n\n',
        ': still here\n\n',
      ].join(''),
    );
  });

  test('asks from where a viewer goes on', async () => {
    const { port, lastIds } = await startInspectorServer();
    await view(port);
    await view(port, { 'last-event-id': 'e.41' });
    expect(lastIds).toEqual([null, 'e.41']);
  });

  test('drops a viewer that does not read, and keeps the others', async () => {
    const { server, port } = await startInspectorServer();
    const [slow, quick] = [await view(port), await view(port)];
    slow.pause();
    const text = 'x'.repeat(1024 * 1024);
    let sent = 0;
    await until('The slow one is dropped', () => {
      server.hub.tell(batch((sent += 1), [text]));
      return server.hub.count() === 1;
    });
    expect(sent).toBeGreaterThanOrEqual(MOST_UNREAD / text.length);
    expect(quick.isOpen()).toBe(true);
    await until('The quick one has it all', () => quick.text().includes(`id: e.${sent}\n`));
  });

  test('says when the last viewer is gone', async () => {
    const { port, left } = await startInspectorServer();
    const [one, two] = [await view(port), await view(port)];
    one.close();
    two.close();
    await until('Nobody is there', () => left() === 1);
  });
});
