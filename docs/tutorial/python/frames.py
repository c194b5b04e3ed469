# Messages on a stream: four bytes say how long a message is, and then it comes.
import struct

MOST = 1024 * 1024  # a longer message is refused


def send_message(sock, message):
    sock.sendall(struct.pack(">I", len(message)) + message)


def read_message(sock):
    """Returns the next message, or None if the peer has ended between two."""
    first = sock.recv(1)
    if not first:
        return None
    (size,) = struct.unpack(">I", first + read_exactly(sock, 3))
    if size > MOST:
        raise ValueError(f"a message of {size} bytes is too long")
    return read_exactly(sock, size)


def read_exactly(sock, size):
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise EOFError("the peer has ended within a message")
        data += piece
    return data
