/** `npm run why`: the story of one notification. Why is a message not answered, and what happens next? */
import { parseArgs, styleText } from 'node:util';
import { readSession } from '../local/session.ts';
import { linesOf } from '../stories/lines.ts';
import { addressesOf } from './addresses.ts';
import { askWhy } from './why/ask.ts';

const USAGE = `npm run why -- <notification | task | agent | text of the message> [-- --url <address>] [-- --json]

Tells the story of one notification: when it came, what it waited for, each run and each failure, what comes next and
when; of one that is over, how it ended. Ask with its id, with a task or an agent (an id, a slug, a title), or with words
of the message's first line. In the container of compose: docker compose exec runtime why ...
Without --url it asks the stack of npm run dev, then http://127.0.0.1:$HEALTH_PORT (3000).

  --url     the address of the runtime's health port, such as http://127.0.0.1:3000
  --json    print the answer as it came

Exits with 0 when there is one story to tell. With 1 when nothing is known of it, when several notifications are meant
(they are listed), or when no runtime answers. The runtime remembers the last 1,000 notifications since it began.`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      url: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return print(USAGE);
  const question = positionals.join(' ').trim();
  if (question === '')
    throw new Error('Say what to look for: npm run why -- <notification | task | agent | text>.');
  const told = await askWhy(addressesOf(values.url, readSession()?.healthUrl), question);
  if (told.kind === 'nobody') throw new Error(told.problem);
  const { answer, json } = told;
  const isStory = answer.kind === 'story';
  const lines = linesOf(answer, Date.now());
  const width = Math.max(...lines.map(({ label }) => label.length));
  const text = values.json
    ? json
    : lines
        .map(({ label, text: words }) =>
          width === 0
            ? words
            : `${styleText('gray', label.padEnd(width), { stream: process.stdout })}  ${words}`,
        )
        .join('\n');
  if (isStory || values.json) print(text);
  else process.stderr.write(`${text}\n`);
  return isStory ? 0 : 1;
}

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
});
