"""Damped least squares (Levenberg-Marquardt) in plain Python: a dozen unknowns, no dependency."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

STEP = 1e-3
"""Of the numeric derivative; unknowns are logarithms."""

LARGEST_MOVE = 1.0
"""Of one unknown in one iteration."""

ITERATIONS = 60
TRIES = 9
CONVERGED = 1e-6


def minimise(residuals: Callable[[list[float]], list[float]], start: list[float]) -> list[float]:
    """Return the unknowns that make the sum of squares of the residuals least."""
    unknowns, damping = start[:], 1.0
    values = residuals(unknowns)
    cost = _squares(values)
    for _ in range(ITERATIONS):
        slopes = _derivative(residuals, unknowns, values)
        normal = [[_dot(a, b) for b in slopes] for a in slopes]
        gradient = [_dot(slope, values) for slope in slopes]
        for _ in range(TRIES):
            damped = [row[:] for row in normal]
            for index, row in enumerate(damped):
                row[index] += damping * (normal[index][index] + CONVERGED)
            move = _solve(damped, [-value for value in gradient])
            tried = [u + _bounded(m) for u, m in zip(unknowns, move, strict=True)]
            found = residuals(tried)
            better = _squares(found)
            if better < cost:
                break
            damping *= 4.0
        else:
            return unknowns
        is_done = cost - better < CONVERGED * cost
        unknowns, values, cost = tried, found, better
        damping = max(damping / 4.0, STEP)
        if is_done:
            return unknowns
    return unknowns


def _derivative(
    residuals: Callable[[list[float]], list[float]], at: list[float], values: list[float]
) -> list[list[float]]:
    slopes = []
    for index in range(len(at)):
        moved = at[:]
        moved[index] += STEP
        after = residuals(moved)
        slopes.append([(new - old) / STEP for new, old in zip(after, values, strict=True)])
    return slopes


def _solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Solve by Gaussian elimination with pivoting."""
    size = len(right)
    rows = [[*matrix[index], right[index]] for index in range(size)]
    for column in range(size):
        pivot = max(range(column, size), key=lambda index: abs(rows[index][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for below in range(column + 1, size):
            factor = rows[below][column] / rows[column][column]
            if factor:
                for index in range(column, size + 1):
                    rows[below][index] -= factor * rows[column][index]
    solved = [0.0] * size
    for index in reversed(range(size)):
        rest = sum(rows[index][k] * solved[k] for k in range(index + 1, size))
        solved[index] = (rows[index][size] - rest) / rows[index][index]
    return solved


def _bounded(move: float) -> float:
    return max(-LARGEST_MOVE, min(LARGEST_MOVE, move))


def _dot(left: list[float], right: list[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


def _squares(values: list[float]) -> float:
    return _dot(values, values)
