import { describe, expect, it } from 'vitest';

import { place } from './popper';

const anchor = (left: number, top: number) =>
  ({ left, top, width: 100, height: 40, right: left + 100, bottom: top + 40 }) as DOMRect;
const window = { width: 1000, height: 600 };

describe('place', () => {
  it('puts the box on the side that is wished for', () => {
    expect(place(anchor(400, 200), { width: 60, height: 30 }, window, 'bottom')).toEqual({
      left: 420,
      top: 240,
      placement: 'bottom',
    });
    expect(place(anchor(400, 200), { width: 300, height: 30 }, window, 'top-start')).toMatchObject({
      left: 400,
      top: 170,
    });
    expect(place(anchor(400, 200), { width: 60, height: 20 }, window, 'right')).toMatchObject({ left: 500, top: 210 });
  });

  it('takes the other side where there is no room', () => {
    expect(place(anchor(400, 500), { width: 100, height: 300 }, window, 'bottom-start')).toEqual({
      left: 400,
      top: 200,
      placement: 'top-start',
    });
  });

  it('leaves no part of the box beyond the window', () => {
    expect(place(anchor(950, 200), { width: 300, height: 30 }, window, 'bottom')).toMatchObject({ left: 700 });
    expect(place(anchor(-50, 200), { width: 300, height: 30 }, window, 'bottom')).toMatchObject({ left: 0 });
    expect(place(anchor(0, 0), { width: 2000, height: 900 }, window, 'bottom')).toMatchObject({ left: 0, top: 0 });
  });
});
