"""The octets between DATA and CRLF.CRLF: dots taken out, the end found, line ends judged."""

from __future__ import annotations

_END = b"\r\n.\r\n"


class DataDecoder:
    """Finds the end of a message and takes out the transparency dots, piece by piece.

    Only CRLF.CRLF ends a message: ``\\n.\\n``, ``\\r.\\r``, ``\\n.\\r\\n`` and their like are
    content (RFC 5321 section 4.1.1.4), otherwise one message could smuggle another past us.

    ``bare_newline``, ``nul``, ``eight_bit`` and ``longest_line`` (octets without CRLF, dots taken
    out) tell what was in the content so far.
    """

    def __init__(self) -> None:
        self.bare_newline = False
        self.nul = False
        self.eight_bit = False
        self.longest_line = 0
        self.done = False
        # The 354 reply stands for the CRLF before the first line, so that `.` alone ends an empty
        # message like any other.
        self._held = b"\r\n"
        self._begun = False
        self._line = 0
        self._carriage_return = b""

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Return (content, what follows the end). Content lags behind by four octets at most.

        What follows is empty until ``done``; nothing may be fed afterwards.
        """
        data = self._held + data
        end = data.find(_END)
        if end >= 0:
            self.done = True
            content, rest = data[: end + 2], data[end + len(_END) :]
        else:
            keep = _partial_end(data)
            content, self._held, rest = data[: len(data) - keep], data[len(data) - keep :], b""
        # rfc5321#4.5.2
        content = content.replace(b"\r\n.", b"\r\n")
        if content and not self._begun:
            self._begun = True
            content = content[2:]
        self._look_at(content)
        return content, rest

    def _look_at(self, content: bytes) -> None:
        if not content:
            return
        self.nul = self.nul or b"\0" in content
        self.eight_bit = self.eight_bit or not content.isascii()
        piece = self._carriage_return + content
        if piece.endswith(b"\r"):
            piece, self._carriage_return = piece[:-1], b"\r"
        else:
            self._carriage_return = b""
        pairs = piece.count(b"\r\n")
        if piece.count(b"\n") != pairs or piece.count(b"\r") != pairs:
            self.bare_newline = True
        first, *others = piece.split(b"\r\n")
        self._line += len(first)
        self.longest_line = max(self.longest_line, self._line, *map(len, others))
        if others:
            self._line = len(others[-1])


def _partial_end(data: bytes) -> int:
    """Return how many of the last octets may be the beginning of the end."""
    for length in range(len(_END) - 1, 0, -1):
        if data.endswith(_END[:length]):
            return length
    return 0
