"""Lanes beneath the axis: boxes of one lane never overlap."""

from collections.abc import Sequence

GAP = 8.0
"""Pixels between neighbours, along and across."""


def assign(boxes: Sequence[tuple[float, float]]) -> list[int]:
    """The lane of each (left, right), first come, first fitted: pass them in the order in which they matter."""
    lanes: list[list[tuple[float, float]]] = []
    chosen = []
    for left, right in boxes:
        free = (index for index, taken in enumerate(lanes) if _fits(left, right, taken))
        lane = next(free, len(lanes))
        if lane == len(lanes):
            lanes.append([])
        lanes[lane].append((left, right))
        chosen.append(lane)
    return chosen


def tops(chosen: Sequence[int], heights: Sequence[float], first: float) -> list[float]:
    """The top of each box: a lane is as high as its highest box."""
    count = max(chosen, default=-1) + 1
    tallest = [max(height for lane, height in zip(chosen, heights, strict=True) if lane == n) for n in range(count)]
    starts = [first + sum(tallest[:n]) + n * GAP for n in range(count)]
    return [starts[lane] for lane in chosen]


def _fits(left: float, right: float, taken: Sequence[tuple[float, float]]) -> bool:
    return all(right + GAP <= other_left or left >= other_right + GAP for other_left, other_right in taken)
