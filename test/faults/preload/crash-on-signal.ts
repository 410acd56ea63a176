// A stand-in for a bug of ours that is not caught anywhere.
process.on('SIGWINCH', () => {
  throw new Error(`crash on command with ${process.env.SERVICE_TOKEN ?? ''} in it`);
});
