import '@testing-library/jest-dom/vitest';

import { cleanup, configure } from '@testing-library/react';
import { afterEach } from 'vitest';

// A busy machine runs jsdom slowly.
configure({ asyncUtilTimeout: 20_000 });
afterEach(cleanup);
