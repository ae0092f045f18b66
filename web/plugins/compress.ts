// Writes NAME.gz and NAME.br beside each text asset, so that the server compresses nothing, and fails the build where the
// scripts are larger than their budget.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
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

export function compressAndMeasure({ scriptBytesMax }: { scriptBytesMax: number }): Plugin {
  let folder = '';
  return {
    name: 'compress-and-measure',
    apply: 'build',
    configResolved(config) {
      folder = join(config.root, config.build.outDir);
    },
    closeBundle() {
      let scripts = 0;
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
        if (extname(path) === '.js') scripts += gzip.length;
      }
      const measured = `JavaScript: ${kib(scripts)} compressed with gzip, of ${kib(scriptBytesMax)} at most`;
      if (scripts > scriptBytesMax) this.error(measured);
      console.info(measured);
    },
  };
}
