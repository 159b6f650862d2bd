"""Resize a folder of pictures, naming each as it is done: python samples/resize_pictures.py PHOTOS THUMBS."""

import sys

import toolkit
from toolkit.core.task import Failure, Success


def main() -> int:
    """Resize under the processes model; outcomes come as they land."""
    photos, thumbs = sys.argv[1:]
    bad = 0
    for outcome in toolkit.resize.stream(photos, thumbs, size="300x300", op=["sharpen"], model="processes"):
        if isinstance(outcome, Success):
            print(f"{outcome.value.output}: {outcome.value.width}x{outcome.value.height}")
        elif isinstance(outcome, Failure):
            bad += 1
            print(f"{outcome.task.key}: {outcome.message}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
