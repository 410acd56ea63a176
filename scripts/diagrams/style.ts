/**
 * The colours of a drawing. Each can be set from the page that holds the drawing (`--chart-state: …`); without that it
 * follows the light or dark scheme of whoever looks. All selectors begin with the drawing's own class, so that several
 * drawings in one page leave each other alone.
 */
import { TAGS } from '../../machines/shared/tags.ts';

const COLOURS: Record<string, [light: string, dark: string]> = {
  background: ['#ffffff', '#12161d'],
  group: ['#f6f8fb', '#181e27'],
  region: ['#eef2f8', '#1d2530'],
  state: ['#ffffff', '#232c38'],
  border: ['#8b98ab', '#5d6b80'],
  text: ['#18202c', '#e8edf4'],
  muted: ['#586578', '#9fadbf'],
  edge: ['#4a5668', '#a9b6c7'],
  timer: ['#6b4fbb', '#b79cf2'],
  always: ['#0d7f86', '#4ec3c9'],
  error: ['#c62f2f', '#ff7a72'],
  message: ['#2464c8', '#77aaff'],
  active: ['#ffe9a8', '#5c4a10'],
  'active-border': ['#c98a00', '#ffc93d'],
  taken: ['#e07b00', '#ffb02e'],
  starting: ['#0d7f86', '#4ec3c9'],
  ready: ['#2c8a4b', '#5fcf85'],
  busy: ['#2464c8', '#77aaff'],
  degraded: ['#b26a00', '#f0ab3c'],
  draining: ['#6b4fbb', '#b79cf2'],
  attention: ['#b3326f', '#ff86b8'],
  failed: ['#c62f2f', '#ff7a72'],
};

const colour = (name: string): string => `var(--chart-${name}, var(--own-${name}))`;

const scheme = (which: 0 | 1): string =>
  Object.entries(COLOURS)
    .map(([name, pair]) => `--own-${name}: ${pair[which]};`)
    .join(' ');

/** @param scope the class of the drawing */
export function styleOf(scope: string): string {
  const rules: [selector: string, body: string][] = [
    [
      'text',
      `font-family: system-ui, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; font-size: 10.5px; fill: ${colour('text')};`,
    ],
    ['.title', 'font-size: 13px; font-weight: bold;'],
    ['.description', `fill: ${colour('muted')};`],
    ['.caption', `fill: ${colour('muted')}; font-style: italic;`],
    ['.box', `fill: ${colour('state')}; stroke: ${colour('border')}; stroke-width: 1;`],
    ['.compound > .box', `fill: ${colour('group')};`],
    ['.region > .box', `fill: ${colour('region')}; stroke-dasharray: 6 4;`],
    ['.panel > .box', `fill: ${colour('group')};`],
    ['.closed > .box', `fill: ${colour('region')}; stroke-width: 1.5;`],
    ['.pill .box', `fill: ${colour('state')}; stroke-opacity: 0.7;`],
    ['.pill text', `fill: ${colour('muted')};`],
    ['.any rect', `fill: ${colour('background')}; stroke: ${colour('border')}; stroke-dasharray: 2 2;`],
    ['.any text', `fill: ${colour('muted')}; font-style: italic;`],
    ['.root > .box', `fill: ${colour('background')};`],
    ['.final > .box', 'stroke-width: 1.5;'],
    ['.inner', `fill: none; stroke: ${colour('border')};`],
    ['.rule', `stroke: ${colour('border')}; stroke-opacity: 0.4;`],
    [
      '.sign',
      `fill: none; stroke: ${colour('muted')}; stroke-width: 1.2; stroke-linecap: round; stroke-linejoin: round;`,
    ],
    ['.chip rect', 'fill: var(--tag); fill-opacity: 0.14; stroke: var(--tag); stroke-opacity: 0.5;'],
    ['.chip text', 'font-size: 9px; fill: var(--tag);'],
    ...TAGS.map((tag): [string, string] => [`.tag-${tag}`, `--tag: ${colour(tag)};`]),
    ['.dot', `fill: ${colour('edge')};`],
    ['.edge, .start', `--line: ${colour('edge')};`],
    ...['timer', 'always', 'error', 'message'].map((look): [string, string] => [
      `.${look}`,
      `--line: ${colour(look)};`,
    ]),
    ['.line', 'fill: none; stroke: var(--line); stroke-width: 1.3;'],
    ['.timer > .line, .message > .line', 'stroke-dasharray: 5 4;'],
    ['.head', 'fill: var(--line);'],
    ['.edge .sign', 'stroke: var(--line);'],
    ['.edge > .label text', 'fill: var(--line);'],
    ['.paper', `fill: ${colour('background')}; fill-opacity: 0.92;`],
    ['.active > .box', `fill: ${colour('active')}; stroke: ${colour('active-border')}; stroke-width: 2;`],
    ['.compound.active > .box', `fill: ${colour('group')};`],
    ['.closed.active > .box', `fill: ${colour('active')};`],
    ['.pill.active text', `fill: ${colour('text')}; font-weight: bold;`],
    ['.region.active > .box', `fill: ${colour('region')};`],
    ['.root.active > .box', `fill: ${colour('background')};`],
    ['.taken', `--line: ${colour('taken')};`],
    ['.taken > .line', 'stroke-width: 3;'],
    ['.taken text', `fill: ${colour('taken')};`],
  ];
  const own = rules.map(([selectors, body]) => {
    const scoped = selectors.split(', ').map((one) => `.${scope} ${one}`);
    return `${scoped.join(', ')} { ${body} }`;
  });
  return [
    `.${scope} { ${scheme(0)} }`,
    `@media (prefers-color-scheme: dark) { .${scope} { ${scheme(1)} } }`,
    ...own,
  ].join('\n');
}
