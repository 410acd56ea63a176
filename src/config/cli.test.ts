import { describe, expect, it } from 'vitest';
import { runtimeVersion } from '../version.ts';
import { parseArgs } from './cli.ts';
import { settingNotes } from './settings.ts';

describe('the command line', () => {
  it('runs without arguments', () => {
    expect(parseArgs([])).toEqual({ kind: 'run' });
  });

  it.each(['--help', '-h'])('%s lists every setting with its default', (arg) => {
    const command = parseArgs([arg]);
    expect(command.kind).toBe('help');
    const text = 'text' in command ? command.text : '';
    for (const [name, notes] of settingNotes) {
      expect(text).toContain(`  ${name}`);
      expect(text).toContain(notes.description);
      if (notes.defaultText !== null) expect(text).toContain(`default: ${notes.defaultText}`);
    }
    expect(text).toContain('SERVICE_TOKEN_FILE');
  });

  it.each(['--version', '-v'])('%s tells the version', (arg) => {
    expect(parseArgs([arg])).toEqual({
      kind: 'version',
      text: `openclaw-mission-control-runtime ${runtimeVersion}`,
    });
  });

  it.each([
    ['--port', ' --port'],
    ['--token=mc_service_acc1_secret', ' --token'],
    ['mc_service_acc1_secret', ''],
    ['--mc_service_acc1_secret', ''],
  ])('refuses %s without repeating a value', (arg, named) => {
    expect(parseArgs([arg])).toEqual({
      kind: 'usage',
      message: `Unknown argument${named}: the runtime takes its settings from the environment; --help lists them.`,
    });
  });
});
