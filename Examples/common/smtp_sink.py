"""A mail server that keeps what it gets in a file, a JSON line for each mail. Un servidor de correo de prueba.

    smtp_sink.py BOX

It prints its port. Recipients that begin with "busy" are put off once (451), "nobody" is refused (550).
"""
import asyncio
import json
import sys


class Sink:
    def __init__(self, box):
        self.box = open(box, "a")
        self.put_off = set()

    async def serve(self, reader, writer):
        def say(text):
            writer.write(text.encode() + b"\r\n")

        say("220 sink")
        recipient = None
        while line := await reader.readline():
            words = line.decode().strip()
            verb = words[:4].upper()
            if verb == "RCPT":
                recipient = words[words.index("<") + 1:words.index(">")]
                say(self.verdict(recipient))
            elif verb == "DATA":
                say("354 go on")
                self.take(recipient, await reader.readuntil(b"\r\n.\r\n"))
                say("250 taken")
            elif verb == "QUIT":
                say("221 bye")
                break
            else:
                say("250 ok")
        writer.close()

    def verdict(self, recipient):
        if recipient.startswith("nobody"):
            return "550 no such user"
        if recipient.startswith("busy") and recipient not in self.put_off:
            self.put_off.add(recipient)
            return "451 busy, try again"
        return "250 ok"

    def take(self, recipient, data):
        mail = data.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.").decode()
        self.box.write(json.dumps({"to": recipient, "mail": mail}) + "\n")
        self.box.flush()


async def main(box):
    sink = Sink(box)
    server = await asyncio.start_server(sink.serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main(sys.argv[1]))
