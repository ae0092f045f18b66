// A value outside React that components follow.
import { useSyncExternalStore } from 'react';

export interface Store<T> {
  get(): T;
  set(value: T): void;
  subscribe(listener: () => void): () => void;
}

export function makeStore<T>(value: T): Store<T> {
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(value, next)) return;
      value = next;
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export const useStore = <T>(store: Store<T>): T => useSyncExternalStore(store.subscribe, store.get);

/** A value that this browser keeps. Where storage is forbidden or broken, it lives as long as the page. */
export function keptValue<T>(key: string, fallback: T): Store<T> {
  const name = `tokenrail.${key}`;
  let start = fallback;
  try {
    const kept = localStorage.getItem(name);
    if (kept !== null) start = JSON.parse(kept) as T;
  } catch {
    start = fallback;
  }
  const store = makeStore(start);
  return {
    ...store,
    set(value) {
      store.set(value);
      try {
        localStorage.setItem(name, JSON.stringify(value));
      } catch {
        // Not kept; the page works all the same.
      }
    },
  };
}

/** The same for each of several names, such as the persons who share this browser. */
export function keptValues<T>(key: string, fallback: T): (name: string) => Store<T> {
  const stores = new Map<string, Store<T>>();
  return (name) => {
    let store = stores.get(name);
    if (!store) stores.set(name, (store = keptValue(`${key}.${name}`, fallback)));
    return store;
  };
}
