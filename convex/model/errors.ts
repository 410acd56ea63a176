import { ConvexError } from 'convex/values';

/** UNAUTHENTICATED: the service token; everything else is about the very thing that was asked for. */
export type ErrorCode = 'UNAUTHENTICATED' | 'FORBIDDEN' | 'NOT_FOUND' | 'INVALID';

/**
 * An error of the contract. A production deployment hides the text of plain errors and keeps a ConvexError's data,
 * so that a client can decide by `data.code` there too; the contract's text is in `data.message` and in the message.
 */
export function failure(code: ErrorCode, message: string): ConvexError<{ code: ErrorCode; message: string }> {
  return new ConvexError({ code, message });
}
