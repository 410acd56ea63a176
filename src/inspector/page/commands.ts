/** The few things that may be asked of the runtime, each behind a confirmation. */
import { COMMANDS, type CommandName } from '../wire.ts';
import { byId, button, setText } from './dom.ts';

export interface Commands {
  /** null: none can be sent now. */
  setKey(key: string | null): void;
}

export function createCommands(): Commands {
  const host = byId('commands', HTMLElement);
  const dialog = byId('confirm', HTMLDialogElement);
  const question = byId('confirm-question', HTMLElement);
  const answer = byId('command-answer', HTMLElement);
  let key: string | null = null;
  let chosen: CommandName | null = null;

  const names = Object.keys(COMMANDS) as CommandName[];
  const buttons = names.map((name) =>
    button(LABELS[name], `${COMMANDS[name]} (${name})`, () => {
      chosen = name;
      setText(question, `${COMMANDS[name]}? The supervisor is sent ${name}.`);
      dialog.returnValue = '';
      dialog.showModal();
    }),
  );
  host.append(...buttons);
  dialog.addEventListener('close', () => {
    if (dialog.returnValue === 'send' && chosen !== null) void send(chosen);
  });

  async function send(name: CommandName): Promise<void> {
    const headers = { 'X-Inspector-Key': key ?? '' };
    const response = await fetch(`/commands/${name}`, { method: 'POST', headers }).catch(() => null);
    setText(answer, response?.ok === true ? `${name} was sent.` : `${name} was not taken.`);
  }

  return {
    setKey(next) {
      key = next;
      for (const one of buttons) one.disabled = key === null;
    },
  };
}

const LABELS: Record<CommandName, string> = {
  'delivery.poll': 'Poll',
  'gateway.probe': 'Probe',
  'upgrade.check': 'Check upgrade',
  'signal.upgrade': 'Drain…',
};
