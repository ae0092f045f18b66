import { existsSync } from 'node:fs';

import { defineConfig } from '@playwright/test';

// tests/web/run.py starts the servers and sets these.
const results = process.env.WEB_RESULTS ?? 'test-results';

export default defineConfig({
  outputDir: `${results}/traces`,
  // Each worker has an organisation of its own (e2e/world.ts); its tests share the models and make models of their own names.
  workers: 2,
  fullyParallel: true,
  // A test that fails runs once more with a trace, which costs half of the time where it is always made. It has failed all the same.
  retries: 1,
  failOnFlakyTests: true,
  // A machine of CI is slow and shared. A test waits for what it expects, and ends as soon as that is there.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  reporter: [['line'], ['junit', { outputFile: `${results}/playwright.xml` }]],
  projects: [
    { name: 'e2e', testDir: 'e2e' },
    // What `./dev web` measures and takes pictures of. No test of these judges a time.
    { name: 'measure', testDir: 'measure', timeout: 300_000, workers: 1, retries: 0 },
    { name: 'screenshots', testDir: 'screenshots', timeout: 300_000, retries: 0 },
  ],
  use: {
    baseURL: process.env.WEB_URL,
    viewport: { width: 1280, height: 800 },
    locale: 'en-US',
    trace: 'on-first-retry',
    launchOptions: {
      // Debian's own browser; none is downloaded. Its build without windows takes a third less time. Containers that run as root
      // have no sandbox.
      executablePath:
        process.env.CHROMIUM ??
        ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'].find((path) => existsSync(path)) ??
        'chromium',
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    },
  },
});
