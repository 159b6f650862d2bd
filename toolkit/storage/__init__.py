"""Where bytes land: beside the final name first, then there by one atomic rename; never outside the folder."""

from __future__ import annotations

from toolkit.storage.opening import remove_alone
from toolkit.storage.part import PartFile, Window, check_space, is_full
from toolkit.storage.places import hold, inside, make_parent, output_folder, place
from toolkit.storage.refusals import BUSY, FULL, named, naming_errors
from toolkit.storage.whole import atomic_write, finish, give_name, sync_folder, write_whole

__all__ = [
    "BUSY",
    "FULL",
    "PartFile",
    "Window",
    "atomic_write",
    "check_space",
    "finish",
    "give_name",
    "hold",
    "inside",
    "is_full",
    "make_parent",
    "named",
    "naming_errors",
    "output_folder",
    "place",
    "remove_alone",
    "sync_folder",
    "write_whole",
]
