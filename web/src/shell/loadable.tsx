// A part of the page whose code is loaded when it is needed, or ahead.
import { type ComponentType, type JSX, lazy, useState } from 'react';

import { NetworkError } from '../api/problem';
import { backOnline, reaches } from '../api/transport';

export interface Loadable<P extends object> {
  Shown: ComponentType<P>;
  /** Loads the code ahead. */
  load: () => Promise<unknown>;
}

/**
 * As React's lazy. While the server is away, the part waits for it: browsers remember a module that they failed to load, so code
 * is asked for only where the server is there. Where the code is here already, the part is shown at once: React would show the fallback first, and then
 * leave it for 300 ms at least.
 */
export function loadable<P extends object>(code: () => Promise<{ default: ComponentType<P> }>): Loadable<P> {
  let loaded: ComponentType<P> | undefined;
  const load = async () => {
    if (!loaded && !(await reaches())) throw new NetworkError(false);
    const module = await code();
    loaded = module.default;
    return module;
  };
  const waited = async () => {
    for (;;) {
      try {
        return await load();
      } catch (error) {
        if (!(error instanceof NetworkError) && (await reaches(0))) throw error;
        await backOnline();
      }
    }
  };
  const Later = lazy(waited) as unknown as ComponentType<P>;
  function Shown(props: P) {
    // Kept while it is shown: another component in its place would begin with nothing.
    const [Part] = useState<ComponentType<P>>(() => loaded ?? Later);
    return <Part {...(props as P & JSX.IntrinsicAttributes)} />;
  }
  return { Shown, load };
}
