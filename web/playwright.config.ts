import { defineConfig } from '@playwright/test';

// tests/web/run.py starts the servers and sets these.
const results = process.env.WEB_RESULTS ?? 'test-results';

export default defineConfig({
  outputDir: `${results}/traces`,
  // The tests share one organisation's models; each makes models of its own names.
  workers: 1,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [['line'], ['junit', { outputFile: `${results}/playwright.xml` }]],
  projects: [
    { name: 'e2e', testDir: 'e2e' },
    // What `./dev web` measures and takes pictures of. No test of these judges a time.
    { name: 'measure', testDir: 'measure', timeout: 300_000, use: { trace: 'off' } },
    { name: 'screenshots', testDir: 'screenshots', timeout: 300_000, use: { trace: 'off' } },
  ],
  use: {
    baseURL: process.env.WEB_URL,
    viewport: { width: 1280, height: 800 },
    locale: 'en-US',
    trace: 'retain-on-failure',
    launchOptions: {
      // Debian's own browser; none is downloaded. Containers that run as root have no sandbox.
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    },
  },
});
