"""What users write becomes an operation, or a message that says what may be written."""

from __future__ import annotations

import subprocess
import sys

import pytest

from toolkit.apps.resize.operations.arguments import Length
from toolkit.apps.resize.operations.catalogue import OPERATIONS, Operation, may_colour, parse_operation, table


@pytest.mark.parametrize(
    ("text", "operation"),
    [
        ("grayscale", Operation("grayscale")),
        ("blur", Operation("blur", (2.0,))),
        (" blur:0.5 ", Operation("blur", (0.5,))),
        ("blur:radius=3", Operation("blur", (3.0,))),
        ("unsharp", Operation("unsharp", (2.0, 100, 2))),
        ("unsharp:1,threshold=0", Operation("unsharp", (1.0, 100, 0))),
        ("unsharp: 1 , 50 , 9 ", Operation("unsharp", (1.0, 50, 9))),
        ("sepia:-0", Operation("sepia", (0.0,))),
        ("tint:#f80,0.4", Operation("tint", ((255, 136, 0, 255), 0.4))),
        ("tint:amount=1,colour=red", Operation("tint", ((255, 0, 0, 255), 1.0))),
        ("border:10,#00000080", Operation("border", (Length(10.0), (0, 0, 0, 128)))),
        ("border:2.5%", Operation("border", (Length(2.5, percent=True), (255, 255, 255, 255)))),
        ("round:8px", Operation("round", (Length(8.0),))),
    ],
)
def test_operation_as_it_is_written(text: str, operation: Operation) -> None:
    """Values by place or by name; what is left out has its usual value; -0 is 0, so that settings are the same."""
    assert parse_operation(text) == operation
    assert repr(parse_operation(text)) == repr(operation)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('text:"Me, 2026"', "Me, 2026"),
        ('text:text="Me, 2026",size=20', "Me, 2026"),
        ('text:"say ""cheese"""', 'say "cheese"'),
        ('text:"a=b"', "a=b"),
        ('text: "x" , south', "x"),
        ('text:" x "', " x "),
        ("text:10:30", "10:30"),
        ("text:two words", "two words"),
    ],
)
def test_text_when_it_is_quoted(text: str, words: str) -> None:
    """Double quotes hold commas, spaces and equals signs together; a doubled one stands for itself."""
    assert parse_operation(text).values[0] == words


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nope", "there is no operation 'nope'; there are: blur, "),
        ("", "there is no operation ''; there are: blur, "),
        ("Blur", "there is no operation 'Blur'"),
        ("blur:0", "'blur:0': radius is a number from 0.1 to 100 (standard deviation in pixels of the result)"),
        ("blur:101", "radius is a number from 0.1 to 100"),
        ("blur:nan", "radius is a number from 0.1 to 100"),
        ("blur:inf", "radius is a number from 0.1 to 100"),
        ("blur:soft", "radius is a number from 0.1 to 100"),
        ("blur:", "radius is a number from 0.1 to 100"),
        ("blur:1,2", "blur takes 1 argument (radius)"),
        ("blur:r=3", "blur has no argument 'r'; it has: radius"),
        ("blur:1,radius=2", "radius is given twice"),
        ("unsharp:radius=1,50", "'50' stands after a named argument: name it, too"),
        ("unsharp:1,,2", "percent is a whole number from 0 to 1000 (strength): it must be given"),
        ("invert:1", "invert takes no arguments: write invert"),
        ("median:4", "size is an odd number from 3 to 15"),
        ("posterize:2.5", "bits is a whole number from 1 to 8"),
        ("posterize:9", "bits is a whole number from 1 to 8"),
        ("tint", "colour is a colour (the colour that white becomes at 1): it must be given"),
        ("tint:reddish", "colour: 'reddish' is not a colour: write #rrggbb, #rrggbbaa or one of white, "),
        ("border:0", "width is 1 to 5000 pixels, or up to 100% of the shorter side"),
        ("border:101%", "width is 1 to 5000 pixels"),
        ("border:-1", "width is 1 to 5000 pixels"),
        ("round:51%", "radius is 0 to 30000 pixels, or up to 50% of the shorter side"),
        ("text:", "text is 1 to 500 characters (the words): it must be given"),
        ('text:" "', "text is 1 to 500 characters"),
        ("text:" + "x" * 501, "text is 1 to 500 characters"),
        ('text:"a', "a value in double quotes ends with one"),
        ('text:a"b"', "a value in double quotes ends with one"),
        ('text:"a"b', "a value in double quotes ends with one"),
        ("text:a,middle", "position is one of northwest, north, northeast, west, center"),
        ("lut", "file is a file (the table): it must be given"),
        ("lut:/nowhere/a.cube", "file: /nowhere/a.cube cannot be read: No such file or directory"),
        ("watermark:/nowhere/a.png", "image: /nowhere/a.png cannot be read: No such file or directory"),
        ("text:a,font=/nowhere/a.ttf", "font: /nowhere/a.ttf cannot be read: No such file or directory"),
    ],
)
def test_operation_that_cannot_be_meant(text: str, message: str) -> None:
    """The message names the argument, its limits and its meaning."""
    with pytest.raises(ValueError) as caught:
        parse_operation(text)
    assert message in str(caught.value)


def test_usual_values() -> None:
    """Every usual value is one that may be written."""
    for name, described in OPERATIONS.items():
        for argument in described.arguments:
            if argument.usual is not None:
                argument.kind.read(argument.usual)
        if all(argument.usual is not None for argument in described.arguments):
            assert parse_operation(name).name == name


@pytest.mark.parametrize(
    ("text", "coloured"),
    [("blur", False), ("sepia", True), ("tint:grey", True), ("border:3,red", True), ("border:3,#80808080", False)],
)
def test_operations_that_may_colour_grey(text: str, coloured: bool) -> None:
    """Grey is kept as grey only where no operation can bring colours."""
    assert may_colour(parse_operation(text)) is coloured


def test_table_names_everything() -> None:
    """The table for the documentation has a row for each operation, and each argument in it."""
    head, rule, *rows = table().splitlines()
    assert head.count("|") == rule.count("|") == 4
    assert len(rows) == len(OPERATIONS)
    for row, (name, described) in zip(rows, OPERATIONS.items(), strict=True):
        assert row.startswith(f"| `{name}` | {described.meaning} | ")
        assert row.count("|") == 4
        assert all(f"`{argument.name}`" in row for argument in described.arguments)


def test_catalogue_when_it_is_imported() -> None:
    """Planning and --help do not wait for Pillow."""
    code = "import sys, toolkit.apps.resize.operations.catalogue; sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
