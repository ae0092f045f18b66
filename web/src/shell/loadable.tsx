// A part of the page whose code is loaded when it is needed, or ahead.
import { type ComponentType, type JSX, lazy, useState } from 'react';

export interface Loadable<P extends object> {
  Shown: ComponentType<P>;
  /** Loads the code ahead. */
  load: () => Promise<unknown>;
}

/**
 * As React's lazy. Where the code is here already, the part is shown at once: React would show the fallback first, and then
 * leave it for 300 ms at least.
 */
export function loadable<P extends object>(code: () => Promise<{ default: ComponentType<P> }>): Loadable<P> {
  let loaded: ComponentType<P> | undefined;
  const load = async () => {
    const module = await code();
    loaded = module.default;
    return module;
  };
  const Later = lazy(load) as unknown as ComponentType<P>;
  function Shown(props: P) {
    // Kept while it is shown: another component in its place would begin with nothing.
    const [Part] = useState<ComponentType<P>>(() => loaded ?? Later);
    return <Part {...(props as P & JSX.IntrinsicAttributes)} />;
  }
  return { Shown, load };
}
