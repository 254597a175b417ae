"""Pictures of counts over days, as SVG that needs no script: for paper, for files that are opened years from now.

Colours and fonts come from classes of the page's own style; every picture says in words what it shows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from itertools import accumulate

from markupsafe import Markup, escape

_WIDTH, _HEIGHT = 720, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 8, 10, 26
_LINES = 4
_MOST_DATES = 6
_MOST_BARS = 240
_STEPS = (1, 2, 2.5, 5, 10)

Days = Sequence[tuple[date, int]]


def rising(days: Days, *, label: str, unit: Callable[[float], str]) -> Markup:
    """What these days have brought together, as a line that rises; nothing for no days."""
    if not days:
        return Markup("")
    whole = _whole(days)
    whole = [(whole[0][0] - timedelta(days=1), 0), *whole]  # it rises from nothing
    heights = list(accumulate(count for _, count in whole))
    top = _ceiling(heights[-1])
    points = [(_x(position, len(whole)), _y(height, top)) for position, height in enumerate(heights)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    floor = _HEIGHT - _BOTTOM
    shapes = (
        f'<polygon class="area" points="{points[0][0]:.1f},{floor} {line} {points[-1][0]:.1f},{floor}"/>'
        f'<polyline class="line" points="{line}"/>'
    )
    return _chart(shapes, whole, top, label=f"{label}: {unit(heights[-1])} by {whole[-1][0]}", unit=unit)


def daily(days: Days, *, label: str, unit: Callable[[float], str]) -> Markup:
    """What each of these days has brought, as bars; many days are taken together. Nothing for no days."""
    if not days:
        return Markup("")
    whole, length = _together(_whole(days))
    most, when = max((count, -position) for position, (_, count) in enumerate(whole))
    top = _ceiling(most)
    step = (_WIDTH - _LEFT - _RIGHT) / len(whole)
    width = max(min(step * 0.8, 40), 0.8)
    floor = _HEIGHT - _BOTTOM
    bars = "".join(
        f'<rect class="bar" x="{_LEFT + step * (position + 0.5) - width / 2:.1f}" y="{_y(count, top):.1f}"'
        f' width="{width:.1f}" height="{floor - _y(count, top):.1f}"><title>{day}: {escape(unit(count))}</title></rect>'
        for position, (day, count) in enumerate(whole)
        if count
    )
    every = "a day" if length == 1 else f"in {length} days"
    said = f"{label} {every}; at most {unit(most)}, on {whole[-when][0]}"
    return _chart(bars, whole, top, label=said, unit=unit)


def _chart(shapes: str, days: Days, top: float, *, label: str, unit: Callable[[float], str]) -> Markup:
    steps = [top * part / _LINES for part in range(_LINES + 1)]
    lines = "".join(_grid(_y(value, top), unit(value)) for value in steps)
    # Everything within is made of numbers and dates, or escaped.
    return Markup(  # noqa: S704
        f'<svg class="picture" role="img" aria-label="{escape(label)}" viewBox="0 0 {_WIDTH} {_HEIGHT}">'
        f"{lines}{shapes}{_dates(days)}</svg>"
    )


def _grid(y: float, text: str) -> str:
    return (
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="tick" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(text)}</text>'
    )


def _dates(days: Days) -> str:
    every = max(-(-len(days) // _MOST_DATES), 1)
    step = (_WIDTH - _LEFT - _RIGHT) / len(days)
    middles = (
        (_LEFT + step * (position + 0.5), days[position][0])
        for position in range(every // 2, len(days), every)
    )
    return "".join(
        f'<text class="tick" x="{x:.1f}" y="{_HEIGHT - 6}" text-anchor="middle">{day}</text>'
        for x, day in middles
    )


def _whole(days: Days) -> list[tuple[date, int]]:
    """The days without gaps."""
    counts = dict(days)
    first, last = min(counts), max(counts)
    return [
        (day, counts.get(day, 0))
        for day in (first + timedelta(days=number) for number in range((last - first).days + 1))
    ]


def _together(days: list[tuple[date, int]]) -> tuple[list[tuple[date, int]], int]:
    length = -(-len(days) // _MOST_BARS)
    groups = [days[start : start + length] for start in range(0, len(days), length)]
    return [(group[0][0], sum(count for _, count in group)) for group in groups], length


def _ceiling(most: float) -> float:
    """A round number that nothing is above: four steps of 1, 2, 2.5 or 5 times a power of ten."""
    step = max(most, 1) / _LINES
    power = 10.0 ** (len(str(int(step))) - 1) if step >= 1 else 1.0
    return _LINES * next(power * factor for factor in _STEPS if power * factor >= step)


def _x(position: int, count: int) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * position / (count - 1)


def _y(value: float, top: float) -> float:
    return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - value / top)
