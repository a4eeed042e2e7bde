"""Makes a WAV file of three seconds: silence, speech (a tone), silence. record.py FILE. Un archivo de prueba."""
import math
import struct
import sys
import wave

RATE = 8000
with wave.open(sys.argv[1], "wb") as file:
    file.setparams((1, 2, RATE, 0, "NONE", "not compressed"))
    tone = [int(12000 * math.sin(n / 3)) if RATE <= n < 2 * RATE else 0 for n in range(3 * RATE)]
    file.writeframes(struct.pack(f"<{len(tone)}h", *tone))
