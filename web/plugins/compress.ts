// Writes NAME.gz and NAME.br beside each text asset, so that the server compresses nothing, and fails the build where the
// scripts are larger than their budgets: all of them, and those that the first page waits for.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

import type { Plugin } from 'vite';

const compressible = new Set(['.js', '.css', '.html', '.svg', '.json']);

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`;

interface Budgets {
  /** All scripts together. */
  scriptBytesMax: number;
  /** What index.html names, without which nothing is shown. */
  firstBytesMax: number;
}

export function compressAndMeasure({ scriptBytesMax, firstBytesMax }: Budgets): Plugin {
  let folder = '';
  return {
    name: 'compress-and-measure',
    apply: 'build',
    configResolved(config) {
      folder = join(config.root, config.build.outDir);
    },
    closeBundle() {
      const page = readFileSync(join(folder, 'index.html'), 'utf8');
      let scripts = 0;
      let first = 0;
      for (const path of filesBelow(folder)) {
        if (!compressible.has(extname(path))) continue;
        const content = readFileSync(path);
        const gzip = gzipSync(content, { level: 9 });
        const brotli = brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
        // A tiny file is served faster as it is.
        if (statSync(path).size > 512) {
          writeFileSync(`${path}.gz`, gzip);
          writeFileSync(`${path}.br`, brotli);
        }
        if (extname(path) !== '.js') continue;
        scripts += gzip.length;
        if (page.includes(basename(path))) first += gzip.length;
      }
      const measured =
        `JavaScript: ${kib(scripts)} compressed with gzip, of ${kib(scriptBytesMax)} at most; ` +
        `${kib(first)} before the first page, of ${kib(firstBytesMax)} at most`;
      if (scripts > scriptBytesMax || first > firstBytesMax) this.error(measured);
      console.info(measured);
    },
  };
}
