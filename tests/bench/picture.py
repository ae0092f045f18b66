"""Line and bar charts as SVG, drawn by hand: no library has to be there, and the files are small enough to review."""

import math

INK, FAINT, PAPER = "#24292f", "#d0d7de", "#ffffff"
COLOURS = {"router": "#0969da", "floor": "#bf8700", "bare": "#57606a"}
NAMES = {"router": "router", "floor": "the floor", "bare": "bare Kafka"}
WIDTH, HEIGHT = 720, 340
LEFT, RIGHT, TOP, BOTTOM = 70, 24, 56, 54


def escape(text):
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class Canvas:
    def __init__(self, title, note):
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'font-family="system-ui, sans-serif" font-size="12">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>']
        self.text(LEFT, 22, title, size=15, weight="bold")
        self.text(LEFT, 40, note, colour="#57606a")

    def text(self, x, y, text, anchor="start", size=12, colour=INK, weight="normal"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}" '
                          f'font-weight="{weight}">{escape(text)}</text>')

    def line(self, x1, y1, x2, y2, colour=FAINT, width=1):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
                          f'stroke-width="{width}"/>')

    def path(self, points, colour):
        data = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{data}" fill="none" stroke="{colour}" stroke-width="2"/>')

    def dot(self, x, y, colour):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>')

    def box(self, x, y, width, height, colour):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>')

    def legend(self, names):
        x = WIDTH - RIGHT
        for name in reversed(names):
            x -= 14 + 7 * len(NAMES[name])
            self.text(x + 14, TOP - 2, NAMES[name])
            self.box(x, TOP - 11, 10, 10, COLOURS[name])
            x -= 12

    def done(self):
        return "\n".join(self.parts + ["</svg>", ""])


def nice_top(value):
    """The next round number, and a step that divides it into four or five."""
    power = 10 ** math.floor(math.log10(value))
    for factor, step in ((1, 0.2), (1.5, 0.3), (2, 0.5), (2.5, 0.5), (3, 0.5), (4, 1), (5, 1), (6, 1), (8, 2), (10, 2)):
        if value <= factor * power:
            return factor * power, step * power
    return 10 * power, 2 * power


def label(value):
    return f"{value:.6g}"


def vertical_axis(canvas, top, step, unit):
    scale = (HEIGHT - TOP - BOTTOM) / top
    value = 0.0
    while value <= top * 1.0001:
        y = HEIGHT - BOTTOM - value * scale
        canvas.line(LEFT, y, WIDTH - RIGHT, y)
        canvas.text(LEFT - 8, y + 4, label(value), anchor="end")
        value += step
    canvas.text(LEFT - 8, TOP - 12, unit, anchor="end")
    return lambda v: HEIGHT - BOTTOM - v * scale


def lines(title, note, x_title, unit, series):
    """`series`: name → [(x, (low, middle, high)), …], x on a logarithmic axis; the spread is a bar at each point."""
    canvas = Canvas(title, note)
    values = [v for points in series.values() for _, spread in points for v in spread]
    xs = sorted({x for points in series.values() for x, _ in points})
    y_of = vertical_axis(canvas, *nice_top(max(values) * 1.05), unit)
    span = math.log(xs[-1] / xs[0]) if len(xs) > 1 else 1
    x_of = lambda x: LEFT + 30 + (WIDTH - LEFT - RIGHT - 60) * math.log(x / xs[0]) / span  # noqa: E731
    for x in xs:
        canvas.text(x_of(x), HEIGHT - BOTTOM + 18, f"{x:,}", anchor="middle")
    canvas.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, x_title, anchor="middle")
    for name, points in series.items():
        canvas.path([(x_of(x), y_of(middle)) for x, (_, middle, _) in points], COLOURS[name])
        for x, (low, middle, high) in points:
            canvas.line(x_of(x), y_of(low), x_of(x), y_of(high), COLOURS[name])
            canvas.dot(x_of(x), y_of(middle), COLOURS[name])
            above = name == "router"
            canvas.text(x_of(x), y_of(high if above else low) + (-8 if above else 16), f"{middle:.1f}", anchor="middle",
                        colour=COLOURS[name])
    canvas.legend(list(series))
    return canvas.done()


def bars(title, note, unit, groups, series):
    """`series`: name → one value a group. The axis is logarithmic: the tail is what one wants to see beside the middle."""
    canvas = Canvas(title, note)
    values = [v for column in series.values() for v in column]
    low = 10 ** math.floor(math.log10(min(values)))
    high = 10 ** math.ceil(math.log10(max(values) * 1.3))
    scale = (HEIGHT - TOP - BOTTOM) / math.log10(high / low)
    y_of = lambda v: HEIGHT - BOTTOM - math.log10(v / low) * scale  # noqa: E731
    tick = low
    while tick <= high * 1.0001:
        canvas.line(LEFT, y_of(tick), WIDTH - RIGHT, y_of(tick))
        canvas.text(LEFT - 8, y_of(tick) + 4, label(tick), anchor="end")
        tick *= 10
    canvas.text(LEFT - 8, TOP - 12, unit, anchor="end")
    room = (WIDTH - LEFT - RIGHT) / len(groups)
    width = room * 0.7 / len(series)
    for g, group in enumerate(groups):
        for s, (name, column) in enumerate(series.items()):
            x = LEFT + room * (g + 0.15) + width * s
            canvas.box(x, y_of(column[g]), width - 4, HEIGHT - BOTTOM - y_of(column[g]), COLOURS[name])
            canvas.text(x + width / 2 - 2, y_of(column[g]) - 5, f"{column[g]:.2f}", anchor="middle")
        canvas.text(LEFT + room * (g + 0.5), HEIGHT - BOTTOM + 18, group, anchor="middle")
    canvas.legend(list(series))
    return canvas.done()
