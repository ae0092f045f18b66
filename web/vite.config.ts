import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

import { scriptAhead } from './plugins/ahead.ts';
import { compressAndMeasure } from './plugins/compress.ts';

// The API that `npm run dev` passes requests on to.
const api = process.env.REGISTRY_API ?? 'http://127.0.0.1:9403';
const proxied = { target: api, changeOrigin: false };

export default defineConfig({
  base: '/ui/',
  plugins: [
    react(),
    scriptAhead('ahead'),
    compressAndMeasure({ scriptBytesMax: 350 * 1024, firstBytesMax: 200 * 1024 }),
  ],
  resolve: {
    alias: { '@popperjs/core': new URL('src/components/popper.ts', import.meta.url).pathname },
  },
  build: {
    outDir: '../build/web',
    emptyOutDir: true,
    target: 'es2022',
    // Fonts and icons stay files: the content security policy allows no data: URLs for fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1024,
    rollupOptions: {
      output: {
        // A file of some lines costs more than it saves.
        experimentalMinChunkSize: 8 * 1024,
        // Each with what it imports.
        manualChunks: (id) =>
          id.endsWith('/src/ahead.ts')
            ? 'ahead'
            : /\/node_modules\/(react|react-dom|react-router-dom|@emotion\/(react|styled))\//.test(id)
              ? 'framework'
              : undefined,
      },
    },
  },
  server: { port: 5173, strictPort: true, proxy: { '/v1': proxied, '/livez': proxied, '/openapi.json': proxied } },
  test: {
    // Tests of components begin with @vitest-environment jsdom; the rest starts faster without it.
    environment: 'node',
    setupFiles: ['src/test/setup.ts'],
    include: ['src/**/*.test.{ts,tsx}'],
    restoreMocks: true,
    unstubGlobals: true,
    // Tests wait for what they expect, and a busy machine is no failure.
    testTimeout: 120_000,
    // Nothing else runs beside them.
    maxWorkers: '100%',
    minWorkers: 1,
  },
});
