/** Finds every log line of a source file, by its syntax: `log.warn('event', 'message', { fields })` and its like. */
import ts from 'typescript';

export interface LogCall {
  /** A part that is only known at run time is `<name>`. */
  event: string;
  /** `as given` where it is only known at run time. */
  level: string;
  /** An ellipsis stands for a part that is only known at run time. */
  message: string;
  fields: string[];
}

const LEVELS = ['debug', 'info', 'warn', 'error'];

export function logCallsIn(path: string, text: string): LogCall[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: LogCall[] = [];
  const visit = (node: ts.Node): void => {
    const call = ts.isCallExpression(node)
      ? fromCall(node)
      : ts.isObjectLiteralExpression(node) && fromObject(node);
    if (call) found.push(call);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** `log.warn(event, message, fields)`, `log[level](...)`, and `log('warn', event, message, fields)`. */
function fromCall({ expression, arguments: args }: ts.CallExpression): LogCall | null {
  // The journal returns its warnings instead of logging them.
  if (ts.isIdentifier(expression) && expression.text === 'onNotice') return callOf('warn', args);
  if (ts.isIdentifier(expression) && expression.text === 'log') {
    const [level, ...rest] = args;
    return level === undefined
      ? null
      : callOf(LEVELS.includes(textOf(level)) ? textOf(level) : 'as given', rest);
  }
  if (ts.isPropertyAccessExpression(expression) && isLog(expression.expression)) {
    return LEVELS.includes(expression.name.text) ? callOf(expression.name.text, args) : null;
  }
  return ts.isElementAccessExpression(expression) && isLog(expression.expression)
    ? callOf('as given', args)
    : null;
}

const isLog = (node: ts.Expression): boolean => /(?:^|\.)log$/.test(node.getText());

function callOf(level: string, [event, message, fields]: readonly ts.Expression[]): LogCall | null {
  if (event === undefined || message === undefined || !isText(event)) return null;
  return {
    event: eventOf(event),
    level,
    message: messageOf(message),
    fields: fields ? fieldsOf(fields) : [],
  };
}

/** `{ event: 'journal.x', message }`: a warning that somebody else writes. */
function fromObject(node: ts.ObjectLiteralExpression): LogCall | null {
  const valueOf = (name: string): ts.Expression | undefined =>
    node.properties.filter(ts.isPropertyAssignment).find((property) => property.name.getText() === name)
      ?.initializer;
  const [event, message] = [valueOf('event'), valueOf('message')];
  const hasMessage = node.properties.some((property) => property.name?.getText() === 'message');
  if (event === undefined || !hasMessage || !ts.isStringLiteralLike(event) || !event.text.includes('.'))
    return null;
  const level = valueOf('level');
  return {
    event: event.text,
    level: level ? textOf(level) : 'warn',
    message: message ? messageOf(message) : '…',
    fields: [],
  };
}

const isText = (node: ts.Node): boolean => ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);

const textOf = (node: ts.Node): string => (ts.isStringLiteralLike(node) ? node.text : '');

const eventOf = (node: ts.Node): string => parts(node, (inner) => `<${inner.getText()}>`);

function messageOf(node: ts.Expression): string {
  if (ts.isBinaryExpression(node)) return messageOf(node.left) + messageOf(node.right);
  return isText(node) ? parts(node, () => '…') : '…';
}

function parts(node: ts.Node, show: (inner: ts.Expression) => string): string {
  if (!ts.isTemplateExpression(node)) return textOf(node);
  return (
    node.head.text + node.templateSpans.map((span) => show(span.expression) + span.literal.text).join('')
  );
}

/** Names of the top level, also those behind a condition. */
function fieldsOf(node: ts.Expression): string[] {
  if (ts.isParenthesizedExpression(node)) return fieldsOf(node.expression);
  if (ts.isConditionalExpression(node)) return [...fieldsOf(node.whenTrue), ...fieldsOf(node.whenFalse)];
  if (ts.isBinaryExpression(node)) return fieldsOf(node.right);
  if (!ts.isObjectLiteralExpression(node)) return [];
  return node.properties.flatMap((property) => {
    if (ts.isSpreadAssignment(property)) return fieldsOf(property.expression);
    return [property.name.getText()];
  });
}
