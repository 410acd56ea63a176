/** Stands where undici's HTTP/2 does: every client of ours is made with `allowH2: false`. */
module.exports = () => {
  throw new Error('This build speaks HTTP/1.1 only.');
};
