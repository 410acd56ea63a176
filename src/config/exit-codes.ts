import { EXIT } from '../../machines/supervisor/context.ts';

/** The codes with which the process ends: for --help and docs/reference/exit-codes.md. */
export const exitCodes = [
  {
    code: EXIT.stopped,
    meaning: 'stopped by SIGTERM, SIGINT or SIGHUP',
    startAgain: 'as you like',
  },
  {
    code: EXIT.bug,
    meaning: 'a bug of the runtime that restarts of its parts did not cure',
    startAgain: 'yes; keep the log for a report',
  },
  {
    code: EXIT.cannotBind,
    meaning: 'the health port cannot be opened',
    startAgain: 'after the port is free',
  },
  {
    code: EXIT.upgrade,
    meaning: 'leaves for an upgrade or a restart that was asked for, or after SIGUSR2',
    startAgain: 'yes',
  },
  {
    code: EXIT.configuration,
    meaning: 'the settings are wrong, STATE_DIR cannot be written, or another process uses it',
    startAgain: 'after they are corrected',
  },
];
