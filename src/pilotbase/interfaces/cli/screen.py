"""The screen: tables, and how far a run is. Plain lines when the output is not a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text as Styled

from pilotbase.foundation.text import Text, printable
from pilotbase.interfaces.cli.language import chosen
from pilotbase.line.means import Watch
from pilotbase.pilot.scenario import StageName
from pilotbase.pilot.verdict import stage_name

_SHORT = 34  # cells; a column of such words is never broken
_LONGEST = 4000  # characters of a cell
_PIPED = 120  # cells of a line that goes into a file or a pipe
_EVERY = 5.0  # seconds between two plain lines about one stage


def table(head: Sequence[Text], rows: Iterable[Sequence[str]]) -> None:
    """Print a table as wide as the terminal; wide characters keep their columns, nothing in a cell is markup."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    filled = [tuple(row) for row in rows]
    for place, text in enumerate(head):
        widest = max((cell_len(row[place]) for row in filled), default=0)
        shown.add_column(text.say(chosen()), overflow="fold", no_wrap=widest <= _SHORT)
    for row in filled:
        shown.add_row(*(Styled(printable(cell, _LONGEST)) for cell in row))
    Console(width=None if sys.stdout.isatty() else _PIPED).print(shown)


class Lines:
    """Progress as plain lines on standard error: for logs and pipes."""

    def __init__(self) -> None:
        """Begin with nothing to tell."""
        self._name = ""
        self._rows = 0
        self._began = self._told = time.monotonic()

    def stage(self, stage: StageName, rows: int) -> None:
        """Say that a stage begins."""
        self._name, self._rows = stage_name(stage).say(chosen()), rows
        self._began = self._told = time.monotonic()
        print(_BEGINS.fill(stage=self._name, rows=rows).say(chosen()), file=sys.stderr, flush=True)

    def advance(self, rows: int) -> None:
        """Say now and then how far it is, and how long it may take."""
        now = time.monotonic()
        if now - self._told < _EVERY or not rows:
            return
        self._told = now
        left = (now - self._began) / rows * max(0, self._rows - rows)
        line = _AT.fill(stage=self._name, done=rows, rows=self._rows, left=f"{left:.0f}")
        print(line.say(chosen()), file=sys.stderr, flush=True)

    def note(self, text: Text) -> None:
        """Say something that a person should read."""
        print(text.say(chosen()), file=sys.stderr, flush=True)


_BEGINS = Text(zh="{stage}：{rows} 行", en="{stage}: {rows} rows")
_AT = Text(zh="{stage}：{done}/{rows} 行，约剩 {left} 秒", en="{stage}: {done}/{rows} rows, about {left} s left")


class Bar:
    """Progress as a bar with the time left: for terminals."""

    def __init__(self) -> None:
        """Open the bar on standard error, so that answers stay clean."""
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._progress.start()
        self._task = None

    def stage(self, stage: StageName, rows: int) -> None:
        """Show a new bar for a stage."""
        if self._task is not None:
            self._progress.update(self._task, visible=False)
        self._task = self._progress.add_task(stage_name(stage).say(chosen()), total=rows)

    def advance(self, rows: int) -> None:
        """Move the bar."""
        if self._task is not None:
            self._progress.update(self._task, completed=rows)

    def note(self, text: Text) -> None:
        """Print a line above the bar."""
        self._progress.console.print(Styled(text.say(chosen())))

    def close(self) -> None:
        """Take the bar away."""
        self._progress.stop()


class watching:  # noqa: N801 - reads as a word: ``with watching() as watch``
    """Watch a run on the screen, in the way that suits where the output goes."""

    def __enter__(self) -> Watch:
        """Begin to watch."""
        self._watch = Bar() if sys.stderr.isatty() else Lines()
        return self._watch

    def __exit__(self, *_: object) -> None:
        """Leave the terminal as it was."""
        if isinstance(self._watch, Bar):
            self._watch.close()
