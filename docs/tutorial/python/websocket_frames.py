# The frames of WebSocket: RFC 6455, without the parts that a small program does not need.
import base64
import hashlib
import struct

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


def accept_of(key):
    digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    return base64.b64encode(digest).decode()


def read_head(conn):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        data = conn.recv(1)  # one byte at a time: a frame may be right behind the head
        if not data or len(head) > 8192:
            raise ValueError("no head came")
        head += data
    first, *fields = head.decode("latin-1").split("\r\n")
    pairs = [field.split(":", 1) for field in fields if ":" in field]
    return first, {name.lower(): value.strip() for name, value in pairs}


def read_exactly(conn, size):
    data = b""
    while len(data) < size:
        piece = conn.recv(size - len(data))
        if not piece:
            raise EOFError("the connection ended without a Close frame")
        data += piece
    return data


def masked(data, mask):
    return bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))


def read_frame(conn):
    first, second = read_exactly(conn, 2)
    size = second & 127
    if size == 126:
        (size,) = struct.unpack("!H", read_exactly(conn, 2))
    elif size == 127:
        raise ValueError("the frame is too large for this program")
    mask = read_exactly(conn, 4) if second & 128 else bytes(4)
    return first & 15, masked(read_exactly(conn, size), mask)


def write_frame(conn, opcode, data, mask=None):
    bit = 0 if mask is None else 128
    size = bytes([bit | len(data)]) if len(data) < 126 else struct.pack("!BH", bit | 126, len(data))
    payload = data if mask is None else mask + masked(data, mask)
    conn.sendall(bytes([128 | opcode]) + size + payload)
