import { expect, test } from 'vitest';
import { causeOf } from './same-cause.ts';

test.each([
  [
    'The status cannot be reported. Convex at http://127.0.0.1:1 cannot be reached for updateRuntimeStatus (ECONNREFUSED): check CONVEX_URL.',
    'The agents cannot be read. Convex at http://127.0.0.1:1 cannot be reached for listAgents (ECONNREFUSED): check CONVEX_URL.',
  ],
  [
    'The list of notifications cannot be read. listUndeliveredNotifications failed in Convex (request a1): No.',
    'The agents cannot be read. listAgents failed in Convex (request b2): No.',
  ],
])('one cause: %s', (one, other) => {
  expect(causeOf(one)).toBe(causeOf(other));
});

test('another reason is another cause', () => {
  expect(causeOf('The agents cannot be read. Convex did not answer.')).not.toBe(
    causeOf('The agents cannot be read. Convex cannot be reached.'),
  );
});
