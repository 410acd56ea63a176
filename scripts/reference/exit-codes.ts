import { exitCodes } from '../../src/config/exit-codes.ts';
import { table } from './table.ts';

export const exitCodesTable = (): string =>
  table([
    ['code', 'meaning', 'start it again?'],
    ...exitCodes.map(({ code, meaning, startAgain }) => [String(code), meaning, startAgain]),
  ]);
