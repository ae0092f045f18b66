import { useCallback, useLayoutEffect, useRef } from 'react';

/** One function for the life of the component that calls the latest one given: what it is passed to need not render again. */
export function useStable<A extends unknown[], R>(call: (...args: A) => R): (...args: A) => R {
  const latest = useRef(call);
  useLayoutEffect(() => {
    latest.current = call;
  });
  return useCallback((...args: A) => latest.current(...args), []);
}
