import { ConvexError } from 'convex/values';

/** UNAUTHENTICATED means that the service token is refused. The other codes are about the thing that was asked for. */
export type ErrorCode = 'UNAUTHENTICATED' | 'FORBIDDEN' | 'NOT_FOUND' | 'INVALID';

/**
 * An error of the contract. A production deployment hides the text of a plain error but keeps a ConvexError's data, so a
 * client can decide by `data.code` everywhere. The contract's text is in `data.message` and in the message.
 */
export function failure(code: ErrorCode, message: string): ConvexError<{ code: ErrorCode; message: string }> {
  return new ConvexError({ code, message });
}
