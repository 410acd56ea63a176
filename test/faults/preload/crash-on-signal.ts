// Stand-ins for bugs of ours that are not caught anywhere.
const bug = (): Error => new Error(`crash on command with ${process.env.SERVICE_TOKEN ?? ''} in it`);
process.on('SIGWINCH', () => {
  throw bug();
});
process.on('SIGIO', () => void Promise.reject(bug()));
