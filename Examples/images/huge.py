"""Makes a small file that is a huge picture: 9000 x 9000 black pixels in some 250 KB. huge.py FILE. Una imagen enorme."""
import struct
import sys
import zlib

SIDE = 9000


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


compressor = zlib.compressobj()
row = bytes(1 + 3 * SIDE)
rows = b"".join(compressor.compress(row) for _ in range(SIDE)) + compressor.flush()
with open(sys.argv[1], "wb") as file:
    file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0))
               + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
