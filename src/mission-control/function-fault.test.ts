import { ConvexError } from 'convex/values';
import { describe, expect, test } from 'vitest';
import type { FaultKind } from '../../machines/shared/fault.ts';
import { functionFault } from './function-fault.ts';

const TOKEN = `mc_service_acc1_${'ab'.repeat(32)}`;

const dev = (text: string) =>
  new Error(
    `[CONVEX A(service/actions:listAgents)] [Request ID: 7f3a] Server Error\nUncaught Error: ${text}\n    at handler (../convex/service/actions.ts:1:2)`,
  );

function coded(data: { code: string; message?: string }, text = 'Server Error') {
  return Object.assign(new ConvexError(data), { message: text });
}

describe('kind', () => {
  test.each<[string, Error, FaultKind]>([
    ['token, bare', new Error('Invalid service token'), 'backendRefused'],
    ['token, dev', dev('Invalid service token format'), 'backendRefused'],
    ['token, wrapped twice', dev('Uncaught Error: Invalid service token structure'), 'backendRefused'],
    ['other account', dev('Forbidden: Service token does not match account'), 'backendRefused'],
    ['no token set', dev('Forbidden: Account has no service token configured'), 'backendRefused'],
    ['no account', dev('Not found: Account does not exist'), 'backendRefused'],
    [
      'an id of no account',
      dev('ArgumentValidationError: Value does not match validator.\nPath: .accountId\nValue: "acc9"'),
      'backendRefused',
    ],
    [
      'another argument that does not fit',
      dev('ArgumentValidationError: Value does not match validator.\nPath: .limit\nValue: "acc9"'),
      'backendRejected',
    ],
    ['by code alone', coded({ code: 'UNAUTHENTICATED' }), 'backendRefused'],
    [
      'another code',
      coded({ code: 'FORBIDDEN', message: 'Forbidden: Agent is not allowed' }),
      'backendRejected',
    ],
    ['too long', dev('Message content too long (max 100000 characters)'), 'textTooLong'],
    ['too long, coded', coded({ code: 'INVALID', message: 'Message content too long' }), 'textTooLong'],
    ['a string as data', new ConvexError('Invalid service token'), 'backendRefused'],
    ['the row', dev('Not found: Notification does not exist'), 'backendRejected'],
    ['hidden', new Error('[Request ID: 7f3a] Server Error'), 'backendRejected'],
    [
      'paused',
      new Error(
        '[Request ID: 7f3a] Server Error\nCannot run functions while this deployment is paused. Resume',
      ),
      'backendUnavailable',
    ],
    ['texts of a row that only mention the token', dev('No task "Invalid service token"'), 'backendRejected'],
  ])('%s', (_name, error, kind) => {
    expect(functionFault('listAgents', error, TOKEN).kind).toBe(kind);
  });
});

describe('message', () => {
  test('one sentence with the function, its own words and the request', () => {
    expect(
      functionFault('markNotificationRead', dev('Not found: Notification does not exist'), TOKEN).message,
    ).toBe('markNotificationRead failed in Convex (request 7f3a): Not found: Notification does not exist.');
  });

  test('names the setting where the account is unknown', () => {
    const error = dev(
      'ArgumentValidationError: Value does not match validator.\nPath: .accountId\nValue: "x"',
    );
    expect(functionFault('listAgents', error, TOKEN).message).toBe(
      'The deployment at CONVEX_URL knows no account with the id in ACCOUNT_ID: check ACCOUNT_ID and CONVEX_URL.',
    );
  });

  test('says so when production hides the words', () => {
    expect(functionFault('listAgents', new Error('[Request ID: 7f3a] Server Error'), TOKEN).message).toBe(
      'listAgents failed in Convex (request 7f3a), which hides the reason: see the log of the deployment.',
    );
  });

  test.each([
    ['whole', TOKEN],
    ['cut short', TOKEN.slice(0, 40)],
    ['at the place where the text is cut', `${'x'.repeat(180)} ${TOKEN}`],
  ])('never has the token: %s', (_name, echo) => {
    const fault = functionFault('listAgents', dev(`Bad arguments {serviceToken: "${echo}"}`), TOKEN);
    expect(fault.message).not.toMatch(/mc_service|abab/);
    expect(fault.cause).toBeUndefined();
  });

  test('never has a token of an unusual alphabet', () => {
    const token = 'mc_service_acc1_se/cr+et';
    const { message } = functionFault('listAgents', dev(`Bad arguments {serviceToken: "${token}"}`), token);
    expect(message).not.toMatch(/cr\+et/);
  });

  test('stays under 300 characters and on one line', () => {
    const { message } = functionFault('createMessageFromAgent', dev(`a\n${'word '.repeat(500)}`), TOKEN);
    const long = functionFault('createMessageFromAgent', dev('word '.repeat(500)), TOKEN).message;
    expect(message).not.toContain('\n');
    expect(long.length).toBeLessThanOrEqual(300);
  });
});
