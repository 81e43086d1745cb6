"""What a decoder module of Tessera says and is asked, for modules in Python: docs/modules.md.

A module is an object with `magic`, `suffixes`, and `open(file, suffix)`, which gives an image with
`describe()`, `profile()` and `pixels(level, left, top, width, height)`; `serve(module)` does the rest.
Standard library only.
"""

import io
import json
import os
import socket

PROTOCOL = 1
MESSAGE_BYTES_MAX = 64 << 10


class Refused(Exception):
    """There is no picture, and the module is well. `kind`: malformed, unsupported, io."""

    def __init__(self, kind, text):
        super().__init__(text)
        self.kind = kind


class PositionedFile(io.RawIOBase):
    """A file that is read by position: the descriptor's own cursor is shared with other processes."""

    def __init__(self, descriptor):
        self.descriptor = descriptor
        self.length = os.fstat(descriptor).st_size
        self.position = 0

    def readable(self):
        return True

    def seekable(self):
        return True

    def seek(self, offset, whence=io.SEEK_SET):
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.position, io.SEEK_END: self.length}[whence]
        if base + offset < 0:
            raise ValueError("a seek to before the start")
        self.position = base + offset
        return self.position

    def readinto(self, buffer):
        count = os.preadv(self.descriptor, [buffer], self.position)
        self.position += count
        return count

    def close(self):
        if not self.closed:
            os.close(self.descriptor)
        super().close()


def serve(module):
    """Answers the server until it goes."""
    channel = socket.socket(fileno=os.dup(0))
    send(channel, 0, hello(module))
    images = {}
    while True:
        message, descriptors, _, _ = socket.recv_fds(channel, MESSAGE_BYTES_MAX, 2)
        if not message:
            return
        request = json.loads(message)
        try:
            reply = answer(module, images, request, descriptors)
        except Refused as refused:
            reply = {"reply": "error", "kind": refused.kind, "text": str(refused)}
        except MemoryError:
            reply = {"reply": "error", "kind": "io", "text": "memory is short"}
        except Exception as error:  # Whatever a library raises says something of the file.
            text = f"{type(error).__name__}: {error}"
            reply = {"reply": "error", "kind": "malformed", "text": text}
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        if reply:
            send(channel, request["number"], reply)


def hello(module):
    return {
        "reply": "hello",
        "protocol": PROTOCOL,
        "magic": module.magic,
        "suffixes": module.suffixes,
    }


def send(channel, number, reply):
    channel.send(json.dumps({"number": number, **reply}).encode())


def answer(module, images, request, descriptors):
    """The reply to one request; none to `close`. `descriptors` are closed by the caller."""
    kind = request["request"]
    number = request.get("image")
    if kind == "open":
        file = PositionedFile(os.dup(descriptors[0]))
        try:
            image = module.open(file, request["suffix"])
            description = image.describe()
            profile = image.profile()
        except BaseException:
            file.close()
            raise
        images[number] = image, file
        if profile and len(profile) <= request["bytes"]:
            write(descriptors[1], profile)
            description["icc_bytes"] = len(profile)
        return {"reply": "image", **description}
    if kind == "decode":
        image, _ = images[number]
        part = [request[key] for key in ("level", "left", "top", "width", "height")]
        pixels = image.pixels(*part)
        if len(pixels) == request["bytes"]:
            write(descriptors[0], pixels)
        return {"reply": "pixels", "bytes": len(pixels)}
    if kind == "close":
        image, file = images.pop(number, (None, None))
        if file:
            file.close()
        return None
    raise Refused("unsupported", f"the request {kind}")


def write(descriptor, data):
    data = memoryview(data)
    done = 0
    while done < len(data):
        done += os.pwrite(descriptor, data[done:], done)
