// A conversation: what was asked, what was answered, and the request that runs.
import { useCallback, useEffect, useRef, useState } from 'react';

import { part, rawRequest } from '../../api/client';
import { eventsOf } from '../../api/events';
import { ApiError, NetworkError, type Problem } from '../../api/problem';
import { makeStore, useStore } from '../../store';
import { type Answer, type Chunk, noAnswer, withChunk } from './answer';

export interface Turn {
  question: string;
  answer: Answer;
  state: 'running' | 'done' | 'stopped' | 'incomplete' | 'failed';
  error?: unknown;
}

export interface Settings {
  model: string;
  system: string;
  temperature: string;
  maxTokens: string;
}

const noSettings: Settings = { model: '', system: '', temperature: '', maxTokens: '' };

// They outlive the page's component, so that a look at another page loses nothing.
const conversation = makeStore<{ org: string; turns: Turn[] }>({ org: '', turns: [] });
const settingsStore = makeStore<Settings>(noSettings);
const typed = makeStore('');

function requestOf(settings: Settings, turns: readonly Turn[], question: string) {
  const messages = [
    ...(settings.system.trim() ? [{ role: 'system', content: settings.system.trim() }] : []),
    ...turns.flatMap((turn) =>
      turn.state === 'done' && turn.answer.text
        ? [
            { role: 'user', content: turn.question },
            { role: 'assistant', content: turn.answer.text },
          ]
        : [],
    ),
    { role: 'user', content: question },
  ];
  const params = {
    ...(settings.temperature === '' ? {} : { temperature: Number(settings.temperature) }),
    ...(settings.maxTokens === '' ? {} : { maxTokens: Number(settings.maxTokens) }),
  };
  return { ...(settings.model ? { model: settings.model } : {}), messages, params };
}

export function useChat(org: string) {
  const held = useStore(conversation);
  const turns = held.org === org ? held.turns : [];
  const settings = useStore(settingsStore);
  const running = useRef<AbortController | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => () => running.current?.abort(), []);

  const ask = useCallback(
    async (question: string) => {
      const before = conversation.get().org === org ? conversation.get().turns : [];
      const set = (change: Partial<Turn>) => {
        const now = conversation.get().turns;
        const last = now[now.length - 1];
        if (last) conversation.set({ org, turns: [...now.slice(0, -1), { ...last, ...change }] });
      };
      conversation.set({ org, turns: [...before, { question, answer: noAnswer, state: 'running' }] });
      const controller = new AbortController();
      running.current = controller;
      setBusy(true);
      let answer = noAnswer;
      let state: Turn['state'] = 'incomplete';
      try {
        const response = await rawRequest('POST', `/v1/orgs/${part(org)}/chat`, {
          json: requestOf(settingsStore.get(), before, question),
          accept: 'text/event-stream',
          signal: controller.signal,
        });
        for await (const { event, data } of eventsOf(response)) {
          if (event === 'error') throw new ApiError(JSON.parse(data) as Problem);
          if (event !== 'chunk') continue;
          answer = withChunk(answer, JSON.parse(data) as Chunk);
          if (answer.last) state = 'done';
          set({ answer });
        }
        set({ state });
      } catch (error) {
        if (controller.signal.aborted) set({ state: 'stopped' });
        else set({ state: 'failed', error: error instanceof TypeError ? new NetworkError(false) : error });
      } finally {
        running.current = null;
        setBusy(false);
      }
    },
    [org],
  );

  return {
    turns,
    busy,
    settings,
    setSettings: settingsStore.set,
    typed: useStore(typed),
    setTyped: typed.set,
    ask,
    stop: () => running.current?.abort(),
    clear: () => conversation.set({ org, turns: [] }),
  };
}
