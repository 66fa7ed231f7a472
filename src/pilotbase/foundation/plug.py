"""Plug-in names: what is installed under an entry-point group, by name, and nothing about its type.

The room that uses a plug-in owns its Protocol; names are resolved once, in ``line/seal``. A group not on the list
below, two packages that offer one name, or an entry point that does not load is an error, never a warning.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from pilotbase.foundation.errors import InputError
from pilotbase.foundation.text import Text, printable

GROUPS = ("pilotbase.sectors",)  # the groups that this release reads; others come with the rooms that use them


def installed(group: str) -> dict[str, EntryPoint]:
    """Return the entry points of a group by name. Raises InputError when one name is offered twice."""
    if group not in GROUPS:
        raise InputError(Text(zh="未知的插件组", en="unknown plug-in group"), found=printable(group))
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=group):
        twin = found.setdefault(point.name, point)
        if twin.value != point.value:
            raise InputError(
                Text(zh="两个软件包提供了同名插件", en="two packages offer a plug-in of one name"),
                found=printable(f"{group}: {point.name} = {twin.value}, {point.value}"),
                remedy=Text(zh="请卸载其中一个", en="uninstall one of them"),
            )
    return found
