"""A PDF of pages that are JPEGs, written as they come: only where each object begins is kept (ISO 32000-1, 7.5)."""

from __future__ import annotations

from typing import IO

WIDTH = 595
"""Points: a page is as wide as A4, and as high as its picture asks."""


class Book:
    """Writes pages to a file; close() writes what makes them a PDF."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._starts: dict[int, int] = {}
        self._pages: list[int] = []
        file.write(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")  # bytes above 127 tell mail and FTP that this is no text

    def page(self, jpeg: bytes, width: int, height: int) -> None:
        """Add a page that is one RGB JPEG of this size in pixels."""
        picture = 3 + 3 * len(self._pages)  # 1 and 2 are written by close()
        high = round(WIDTH * height / width, 2)
        colours = f"/ColorSpace /DeviceRGB /BitsPerComponent 8 /Width {width} /Height {height} /Filter /DCTDecode"
        self._stream(picture, f"/Type /XObject /Subtype /Image {colours}", jpeg)
        self._stream(picture + 1, "", f"q {WIDTH} 0 0 {high} 0 0 cm /Picture Do Q".encode())
        uses = f"/Resources << /XObject << /Picture {picture} 0 R >> >> /Contents {picture + 1} 0 R"
        self._object(picture + 2, f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH} {high}] {uses} >>".encode())
        self._pages.append(picture + 2)

    def close(self) -> None:
        """Write the list of pages and the table of objects."""
        self._object(1, b"<< /Type /Catalog /Pages 2 0 R >>")
        kids = " ".join(f"{page} 0 R" for page in self._pages)
        self._object(2, f"<< /Type /Pages /Count {len(self._pages)} /Kids [{kids}] >>".encode())
        at, count = self._file.tell(), len(self._starts) + 1
        self._file.write(f"xref\n0 {count}\n0000000000 65535 f \n".encode())
        self._file.writelines(f"{self._starts[number]:010} 00000 n \n".encode() for number in range(1, count))
        self._file.write(f"trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{at}\n%%EOF\n".encode())

    def _stream(self, number: int, facts: str, data: bytes) -> None:
        self._object(number, f"<< {facts} /Length {len(data)} >>\nstream\n".encode() + data + b"\nendstream")

    def _object(self, number: int, body: bytes) -> None:
        self._starts[number] = self._file.tell()
        self._file.write(f"{number} 0 obj\n".encode() + body + b"\nendobj\n")
