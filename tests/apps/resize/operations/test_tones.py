"""Tables of levels have known answers."""

from __future__ import annotations

import pytest
from PIL import Image

from tests.apps.resize.making import array
from tests.apps.resize.operations.doing import done


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("invert", [0, 10, 200, 255], [255, 245, 55, 0]),
        ("brightness:1", [0, 10, 200, 255], [0, 10, 200, 255]),
        ("brightness:1.5", [0, 10, 101, 200], [0, 15, 152, 255]),
        ("brightness:0", [0, 10, 200, 255], [0, 0, 0, 0]),
        ("contrast:1", [0, 10, 200, 255], [0, 10, 200, 255]),
        ("contrast:2", [0, 100, 127, 150], [0, 73, 127, 173]),
        ("contrast:0", [0, 100, 127, 255], [128, 128, 128, 128]),
        ("gamma:1", [0, 10, 200, 255], [0, 10, 200, 255]),
        ("gamma:2", [0, 1, 64, 255], [0, 16, 128, 255]),
        ("gamma:0.5", [0, 128, 254, 255], [0, 64, 253, 255]),
        ("posterize:1", [0, 127, 128, 255], [0, 0, 255, 255]),
        ("posterize:2", [63, 64, 128, 192], [0, 85, 170, 255]),
        ("posterize:8", [0, 77, 200, 255], [0, 77, 200, 255]),
        ("solarize", [0, 127, 128, 255], [0, 127, 127, 0]),
        ("solarize:0", [0, 127, 128, 255], [255, 128, 127, 0]),
        ("solarize:256", [0, 127, 128, 255], [0, 127, 128, 255]),
    ],
)
def test_level_when_looked_up(text: str, before: list[int], after: list[int]) -> None:
    """Each level becomes what the table says: in grey, in each channel, and never in alpha."""
    grey = Image.frombytes("L", (4, 1), bytes(before))
    assert array(done(grey, text))[0].tolist() == after
    clear = Image.merge("RGBA", (grey, grey.transpose(Image.Transpose.FLIP_LEFT_RIGHT), grey, grey))
    pixels = array(done(clear, text))[0]
    assert pixels[:, 0].tolist() == pixels[:, 2].tolist() == after
    assert pixels[:, 1].tolist() == after[::-1]
    assert pixels[:, 3].tolist() == before
