import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** A file of the page, kept in memory. Its path holds a hash of its content, so browsers may keep it for ever. */
export class GraphiqlAsset {
  readonly path: string;
  readonly etag: string;
  #compressed: Promise<Buffer> | undefined;

  constructor(
    name: string,
    readonly extension: 'js' | 'css',
    readonly content: Buffer,
  ) {
    const hash = createHash('sha256').update(content).digest('hex').slice(0, 16);
    this.path = `/graphiql/assets/${name}.${hash}.${extension}`;
    this.etag = `"${hash}"`;
  }

  get contentType(): string {
    return this.extension === 'js' ? 'text/javascript; charset=utf-8' : 'text/css; charset=utf-8';
  }

  /** Compressed when first asked for: the editor is a megabyte, and most processes never serve it. */
  gzipped(): Promise<Buffer> {
    this.#compressed ??= promisify(gzip)(this.content);
    return this.#compressed;
  }
}
