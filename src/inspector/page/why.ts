/** The search box of the first view: the story of one notification, renewed every second while it goes on. */
import type { WhyAnswer } from '../../stories/answer.ts';
import { linesOf } from '../../stories/lines.ts';
import { byId, el, setText } from './dom.ts';

const AGAIN_MS = 1_000;

export function createWhy(): void {
  const form = byId('why', HTMLFormElement);
  const input = byId('why-question', HTMLInputElement);
  const list = byId('why-answer', HTMLElement);
  let asked = '';
  let again: number | undefined;

  async function ask(): Promise<void> {
    const question = asked;
    const answer = await fetchAnswer(question);
    // A newer question was asked meanwhile, and its own answer will come.
    if (question !== asked) return;
    show(list, answer);
    const goesOn = answer !== null && answer.kind === 'story' && answer.story.end === null;
    if (goesOn) again = window.setTimeout(() => void ask(), AGAIN_MS);
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    window.clearTimeout(again);
    asked = input.value.trim();
    list.hidden = asked === '';
    if (asked !== '') void ask();
  });
  input.addEventListener('input', () => {
    if (input.value !== '') return;
    window.clearTimeout(again);
    asked = '';
    list.hidden = true;
  });
}

/** null: the runtime does not answer. */
async function fetchAnswer(question: string): Promise<WhyAnswer | null> {
  try {
    const response = await fetch(`/why?q=${encodeURIComponent(question)}`);
    return (await response.json()) as WhyAnswer;
  } catch {
    return null;
  }
}

function show(list: HTMLElement, answer: WhyAnswer | null): void {
  const lines =
    answer === null ? [{ label: '', text: 'The runtime does not answer.' }] : linesOf(answer, Date.now());
  while (list.children.length > lines.length) list.lastElementChild?.remove();
  while (list.children.length < lines.length) list.append(el('div', '', el('dt'), el('dd')));
  lines.forEach(({ label, text }, i) => {
    const row = list.children[i];
    if (row?.firstElementChild) setText(row.firstElementChild, label);
    if (row?.lastElementChild) setText(row.lastElementChild, text);
  });
}
