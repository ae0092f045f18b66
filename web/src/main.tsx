import '@fontsource-variable/roboto/wght.css';

import './ahead';

import { startTransition, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { App, start } from './App';

const { queryClient, ready } = start(location);
const root = document.getElementById('root');
if (root) {
  const shown = createRoot(root);
  void ready.then(() =>
    // In pieces between which the browser answers, instead of all at once.
    startTransition(() =>
      shown.render(
        <StrictMode>
          <App queryClient={queryClient} />
        </StrictMode>,
      ),
    ),
  );
}
