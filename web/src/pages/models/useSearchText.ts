// The text of the search. The list follows each key; the address follows when the typing pauses, because a browser limits
// how often a page may change it.
import { startTransition, useCallback, useEffect, useRef, useState } from 'react';

const pauseMs = 300;

/** A text that does not come from typing: from the address, or from a button. Each is an object of its own. */
export interface GivenText {
  q: string;
}

export function useSearchText(q: string, write: (q: string) => void) {
  const [typed, setTyped] = useState(q);
  const [given, setGiven] = useState<GivenText>({ q });
  /** The text in the address, as far as it is from here. */
  const written = useRef(q);
  /** Of the key that was pressed last, whether the list has followed or not. */
  const latest = useRef(q);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const give = useCallback((next: string) => {
    clearTimeout(timer.current);
    written.current = next;
    latest.current = next;
    setTyped(next);
    setGiven({ q: next });
  }, []);
  useEffect(() => {
    if (q !== written.current) give(q);
  }, [q, give]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const onType = useCallback(
    (next: string) => {
      latest.current = next;
      clearTimeout(timer.current);
      timer.current = setTimeout(() => {
        written.current = next;
        write(next);
      }, pauseMs);
      // A key that is pressed meanwhile does not wait for the list.
      startTransition(() => setTyped(next));
    },
    [write],
  );
  return { typed, given, latest, onType, give };
}
