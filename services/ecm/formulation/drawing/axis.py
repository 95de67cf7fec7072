"""The axis: calendar years from the one before birth to the present, the child's age between them (147, 148)."""

from calendar import isleap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

MARGIN = 48.0
YEAR_WIDTH = 150.0
_FEBRUARY_29 = (2, 29)


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps days to pixels. `last` is the present year, wholly on the axis."""

    born: date
    today: date

    @property
    def first_year(self) -> int:
        """The year before birth."""
        return self.born.year - 1

    @property
    def last_year(self) -> int:
        """The present one, or that of birth where a clock runs behind."""
        return max(self.today.year, self.born.year)

    @property
    def left(self) -> float:
        """Where the first year begins."""
        return MARGIN

    @property
    def right(self) -> float:
        """Where the present year ends."""
        return self.x_of_year(self.last_year + 1)

    @property
    def now(self) -> float:
        """Where today is."""
        return self.x(self.today)

    def x_of_year(self, year: int) -> float:
        """Where 1 January of a year is."""
        return MARGIN + (year - self.first_year) * YEAR_WIDTH

    def x(self, day: date, *, after: bool = False) -> float:
        """Where a day begins (`after`: ends), within the axis."""
        length = 366 if isleap(day.year) else 365
        passed = (day.timetuple().tm_yday - (0 if after else 1)) / length
        return min(max(self.x_of_year(day.year) + passed * YEAR_WIDTH, self.left), self.right)

    def years(self) -> Iterator[int]:
        """Every year mark, that after the present year too."""
        yield from range(self.first_year, self.last_year + 2)

    def birthdays(self) -> Iterator[tuple[int, float]]:
        """(age, x) of birth and of every birthday of the years shown."""
        for year in range(self.born.year, self.last_year + 1):
            yield year - self.born.year, self.x(_birthday(self.born, year))


def _birthday(born: date, year: int) -> date:
    if (born.month, born.day) == _FEBRUARY_29 and not isleap(year):
        return date(year, 3, 1)
    return born.replace(year=year)
