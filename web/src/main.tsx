import '@fontsource-variable/roboto/wght.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { App, start } from './App';

const queryClient = start(location);
const root = document.getElementById('root');
if (root)
  createRoot(root).render(
    <StrictMode>
      <App queryClient={queryClient} />
    </StrictMode>,
  );
