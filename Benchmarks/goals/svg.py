"""Small charts as SVG: bars in groups, and lines. Colours can be told apart by people who do not see red or green, and on light
and dark pages."""
import math
from html import escape

COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"]
WIDTH, HEIGHT = 760, 380
LEFT, RIGHT, TOP, BOTTOM = 80, 20, 56, 64
GREY = "#808080"


def text(x, y, said, anchor="middle", size=12, more=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size:g}" fill="{GREY}" {more}>'
            f'{escape(said)}</text>')


def nice(most):
    """A round figure that is not below."""
    if most <= 0:
        return 1.0
    power = 1.0
    while power * 10 <= most:
        power *= 10
    while power > most:
        power /= 10
    return next(step * power for step in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * power >= most * (1 - 1e-9))


def short(value):
    return f"{value / 1000:,.3g}k" if value >= 1000 else f"{value:.3g}"


def scale(values, decades):
    """The figures of the axis, and how far up a value is, from 0 to 1. `decades`: each step is ten times the one before."""
    if decades and values:
        least = math.floor(math.log10(min(values)) - 0.05)
        steps = max(1, math.ceil(math.log10(max(values)) - 1e-9) - least)
        return [10 ** (least + step) for step in range(steps + 1)], lambda value: (math.log10(value) - least) / steps
    top = nice(max(values, default=0))
    return [top * step / 4 for step in range(5)], lambda value: value / top


def frame(title, unit, values, keys, decades=False):
    """Everything but the data; and how a value becomes a height."""
    marks, share = scale(values, decades)

    def y(value):
        return HEIGHT - BOTTOM - share(value) * (HEIGHT - TOP - BOTTOM)
    parts = [text(LEFT, 20, title, "start", 15, 'font-weight="bold"')]
    for value in marks:
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="{GREY}" '
                     'stroke-opacity="0.3"/>')
        parts.append(text(LEFT - 8, y(value) + 4, short(value), "end"))
    parts.append(text(16, (HEIGHT - BOTTOM + TOP) / 2, unit, more=f'transform="rotate(-90 16 {(HEIGHT - BOTTOM + TOP) / 2:.1f})"'))
    at = LEFT
    for number, key in enumerate(keys):
        parts.append(f'<rect x="{at}" y="32" width="12" height="12" fill="{COLOURS[number % len(COLOURS)]}"/>')
        parts.append(text(at + 17, 42, key, "start"))
        at += 30 + 7 * len(key)
    return parts, y


def whole(parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">\n'
            + "\n".join(parts) + "\n</svg>\n")


def bars(title, unit, groups, series, decades=False):
    """`groups`: what stands below; `series`: (name, a value or None for each group)."""
    found = [value for _, values in series for value in values if value is not None]
    parts, y = frame(title, unit, found, [name for name, _ in series], decades)
    room = (WIDTH - LEFT - RIGHT) / max(1, len(groups))
    wide = room * 0.8 / max(1, len(series))
    for place, group in enumerate(groups):
        begin = LEFT + room * place + room * 0.1
        parts.append(text(begin + room * 0.4, HEIGHT - BOTTOM + 18, group, size=min(12, max(8, room / len(group) * 1.5))))
        for number, (_, values) in enumerate(series):
            value = values[place]
            if value is None:
                continue
            x = begin + wide * number
            parts.append(f'<rect x="{x:.1f}" y="{y(value):.1f}" width="{wide * 0.92:.1f}" '
                         f'height="{HEIGHT - BOTTOM - y(value):.1f}" fill="{COLOURS[number % len(COLOURS)]}"/>')
            parts.append(text(x + wide * 0.46, y(value) - 4, short(value), size=max(7, min(9, wide / 2.4))))
    return whole(parts)


def lines(title, unit, below, points, series):
    """`points`: what stands below, at equal distances; `series`: (name, a value for each)."""
    parts, y = frame(title, unit, [value for _, values in series for value in values], [name for name, _ in series])
    step = (WIDTH - LEFT - RIGHT) / max(1, len(points) - 1)
    for place, point in enumerate(points):
        parts.append(text(LEFT + step * place, HEIGHT - BOTTOM + 18, str(point)))
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 40, below))
    for number, (_, values) in enumerate(series):
        path = " ".join(f"{LEFT + step * place:.1f},{y(value):.1f}" for place, value in enumerate(values))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS[number % len(COLOURS)]}" stroke-width="2"/>')
    return whole(parts)
