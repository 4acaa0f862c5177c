"""A virtual screen on which tests press keys and take pictures."""

from __future__ import annotations

import os
import struct
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

WIDTH, HEIGHT = 640, 320
PIXEL_BYTES = 4


@dataclass(frozen=True, slots=True)
class Display:
    """A running X server."""

    name: str
    _framebuffer: Path

    def press(self, *keys: str) -> None:
        """Press keys by their X names."""
        self._xdotool("key", *keys)

    def type(self, text: str) -> None:
        """Type text, at a typist's pace: 60 ms a key."""
        self._xdotool("type", "--delay", "60", text)

    def fill(self, title: str) -> None:
        """Maximize a window, since there is no window manager to do so."""
        sizes = ("windowmove", "0", "0", "windowsize", str(WIDTH), str(HEIGHT))
        self._xdotool("search", "--sync", "--onlyvisible", "--name", title, *sizes)

    def _xdotool(self, *arguments: str) -> None:
        subprocess.run(
            ["xdotool", *arguments], env={**os.environ, "DISPLAY": self.name}, check=True, timeout=30
        )

    def save(self, picture: Path) -> None:
        """Write what is shown as PNG."""
        data = self._framebuffer.read_bytes()
        # The fields of X's XWDFile.h; each colour of the map has 12 bytes.
        header = struct.unpack(">25I", data[:100])
        start, row_bytes = header[0] + header[19] * 12, header[12]
        rows = (data[start + row * row_bytes :][: WIDTH * PIXEL_BYTES] for row in range(HEIGHT))
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_bytes(_png(b"".join(b"\0" + _rgb(row) for row in rows)))


def _rgb(row: bytes) -> bytes:
    pixels = bytearray(len(row) // PIXEL_BYTES * 3)
    for channel in range(3):  # blue, green, red, and a byte of nothing
        pixels[2 - channel :: 3] = row[channel::PIXEL_BYTES]
    return bytes(pixels)


def _png(rows: bytes) -> bytes:
    eight_bit_rgb = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", eight_bit_rgb), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


@contextmanager
def display(folder: Path) -> Iterator[Display]:
    """Run an X server that keeps its screen in a folder."""
    screen = f"{WIDTH}x{HEIGHT}x24"
    argv = [
        "Xvfb",
        "-displayfd",
        "1",
        "-screen",
        "0",
        screen,
        "-fbdir",
        str(folder),
        "-nolisten",
        "tcp",
        "-nocursor",
    ]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=quiet, text=True) as server:
        assert server.stdout is not None
        try:
            yield Display(f":{server.stdout.readline().strip()}", folder / "Xvfb_screen0")
        finally:
            server.terminate()
