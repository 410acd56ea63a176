/** A chart as Mermaid source, for wherever an SVG cannot go. */
import type { Chart, Edge, State, Transition } from './chart.ts';

/** Names without dots, and texts without the characters that end a text in Mermaid. */
const nameOf = (id: string): string => id.replaceAll('.', '_');
const plain = (text: string): string => text.replace(/[:;#]/g, ',').replaceAll('→', 'to');

export const mermaidOf = ({ root, edges }: Chart): string =>
  ['stateDiagram-v2', ...stateLines(root, '  '), ...edges.map((edge) => `  ${edgeLine(edge)}`), ''].join(
    '\n',
  );

function stateLines(state: State, indent: string): string[] {
  const name = nameOf(state.id);
  const notes = [state.description, ...doingOf(state), ...state.rows.map(lineOf)].map(plain);
  if (state.children.length === 0) {
    return [
      `${indent}state "${plain(state.key)}" as ${name}`,
      ...notes.map((note) => `${indent}${name} : ${note}`),
      ...(state.kind === 'final' ? [`${indent}${name} --> [*]`] : []),
    ];
  }
  const between = state.kind === 'parallel' ? [`${indent}  --`] : [];
  return [
    `${indent}state "${plain(state.key)}" as ${name} {`,
    ...(state.initial === null ? [] : [`${indent}  [*] --> ${nameOf(state.initial)}`]),
    ...state.children.flatMap((child, i) => [
      ...(i === 0 ? [] : between),
      ...stateLines(child, `${indent}  `),
    ]),
    `${indent}}`,
    `${indent}note right of ${name}`,
    ...notes.map((note) => `${indent}  ${note}`),
    `${indent}end note`,
  ];
}

const doingOf = ({ invokes, entry, exit }: State): string[] => [
  ...invokes.map((one) => `invoke ${one}`),
  ...entry.map((one) => `entry / ${one}`),
  ...exit.map((one) => `exit / ${one}`),
];

const edgeLine = ({ from, to, transitions }: Edge): string => {
  const label = transitions.map(waitsFor).filter(Boolean).map(plain).join(', ');
  return `${nameOf(from)} --> ${nameOf(to)}${label === '' ? '' : ` : ${label}`}`;
};

const lineOf = (one: Transition): string =>
  one.to === null ? `${waitsFor(one)} / ${one.actions.join(', ')}` : `${waitsFor(one)} → ${nameOf(one.to)}`;

const waitsFor = ({ kind, text, guard }: Transition): string =>
  [kind === 'timer' ? 'after' : '', text, guard === null ? '' : `[${guard}]`].filter(Boolean).join(' ');
