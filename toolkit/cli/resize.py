"""toolkit resize: pictures to another size, with filters."""

from toolkit.cli._start import app_command

COMMAND = app_command(
    "resize",
    metavar="PICTURE|FOLDER|GLOB ...",
    out_help="The folder that the pictures go into; the tree of folders is kept.",
    help="""Resize and filter pictures: files, folders with all that is in them, or patterns.

    \b
    Examples:
      toolkit resize photos/ -o thumbs/ --size 800x800
      toolkit resize photos/ -o square/ --size 400x400 --fit cover --format webp
      toolkit resize 'scans/*.tif' -o grey/ --size 2000x --filter grayscale --filter sharpen
      toolkit resize photos/ -o web/ --sizes 320,640,1280 --formats avif,webp,jpeg --srcset web.html
      toolkit resize photos/ -o mail/ --max-bytes 200KB
      toolkit resize photos/ --in-place --backup originals/ --long-edge 3000
    """,
)
