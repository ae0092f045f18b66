import { expect, it } from 'vitest';

import { eventReader } from '../../api/events';
import { type Chunk, noAnswer, withChunk } from './answer';

const chunk = (attempt: number, seq: number, delta: string | null, done = false): Chunk => ({
  attempt,
  seq,
  delta,
  done,
});
const answerOf = (...chunks: Chunk[]) => chunks.reduce(withChunk, noAnswer);

it('joins the chunks of an attempt', () => {
  const answer = answerOf(chunk(1000, 0, 'Hel'), chunk(1000, 1, 'lo'), chunk(1000, 2, null, true));
  expect(answer.text).toBe('Hello');
  expect(answer.last?.done).toBe(true);
});

it('drops a lower attempt when a higher one appears', () => {
  expect(answerOf(chunk(1000, 0, 'old'), chunk(2000, 0, 'new'), chunk(1000, 1, 'late')).text).toBe('new');
});

it('ignores repetitions', () => {
  expect(answerOf(chunk(1, 0, 'a'), chunk(1, 0, 'a'), chunk(1, 1, 'b')).text).toBe('ab');
});

it('reads events however the bytes are cut', () => {
  const stream = 'event: chunk\r\ndata: {"a":1}\r\n\r\n: comment\n\nevent: done\ndata: x\ndata: y\n\n';
  for (let size = 1; size < 12; size++) {
    const read = eventReader();
    const events = [];
    for (let i = 0; i < stream.length; i += size) events.push(...read(stream.slice(i, i + size)));
    expect(events).toEqual([
      { event: 'chunk', data: '{"a":1}' },
      { event: 'done', data: 'x\ny' },
    ]);
  }
});
