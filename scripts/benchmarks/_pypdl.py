"""The same list through pypdl, in the environment that pypdl is installed in.

python _pypdl.py LIST FOLDER AT_ONCE CA_FILE|-
"""

from __future__ import annotations

import ssl
import sys
from pathlib import Path

from pypdl import Pypdl

if __name__ == "__main__":
    source, target, at_once, authority = sys.argv[1:]
    folder = Path(target)
    tasks = [{"url": url, "file_path": str(folder / url.rsplit("/", 1)[1])} for url in Path(source).read_text().split()]
    trust = {} if authority == "-" else {"ssl": ssl.create_default_context(cafile=authority)}
    Pypdl(max_concurrent=int(at_once)).start(tasks=tasks, display=False, block=True, **trust)
