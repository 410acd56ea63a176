import { pipeline, Readable, type Duplex } from 'node:stream';
import { createBrotliDecompress, createUnzip, createZstdDecompress } from 'node:zlib';

const DECODERS: Readonly<Record<string, () => Duplex>> = {
  gzip: createUnzip,
  'x-gzip': createUnzip,
  deflate: createUnzip,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

/** A body without its compression. We ask for none, and some proxies compress all the same. */
export function decoded(body: AsyncIterable<Uint8Array>, coding: string): AsyncIterable<Uint8Array> {
  const decoder = DECODERS[coding.trim().toLowerCase()]?.();
  // Its errors come to whoever reads the decoder.
  return decoder === undefined ? body : pipeline(Readable.from(body), decoder, () => undefined);
}
