// Each signal causes an error that nothing catches, as a bug of the runtime would.
const bug = (): Error => new Error(`crash on command with ${process.env.SERVICE_TOKEN ?? ''} in it`);
process.on('SIGWINCH', () => {
  throw bug();
});
process.on('SIGIO', () => void Promise.reject(bug()));
