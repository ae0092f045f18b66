// Names the first script of the page in index.html, before the others. It needs none of them, or it would wait for them.
import type { Plugin } from 'vite';

/** `name` is that of its chunk. */
export function scriptAhead(name: string): Plugin {
  let base = '/';
  return {
    name: 'script-ahead',
    apply: 'build',
    configResolved(config) {
      base = config.base;
    },
    transformIndexHtml: {
      order: 'post',
      handler(_, { bundle }) {
        const chunk = Object.values(bundle ?? {}).find((each) => each.type === 'chunk' && each.name === name);
        if (chunk?.type !== 'chunk') throw new Error(`There is no chunk '${name}'.`);
        if (chunk.imports.length > 0)
          throw new Error(`The chunk '${name}' imports ${chunk.imports.join(', ')}, and would wait for it.`);
        const attrs = { type: 'module', async: true, crossorigin: true, src: base + chunk.fileName };
        return [{ tag: 'script', attrs, injectTo: 'head-prepend' }];
      },
    },
  };
}
