"""Reads what Rust's `{:?}` prints, so that the SDK's typed inputs and outputs can be looked at from Python.

The AWS SDK for Rust has no serialiser for its types that could be called from a test; their `Debug` is
complete except for members that the model calls sensitive. This is a reader of that text: structs,
enums, lists, maps, text with Rust's escapes, and the three leaves that print themselves in their own way
(`DateTime`, `Blob` and a redacted member).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Union

REDACTED_TEXT = "*** Sensitive Data Redacted ***"


@dataclass(frozen=True)
class Struct:
    """`Name { field: value, … }`, or `Name` of a struct without fields."""

    name: str
    fields: dict[str, "Value"]


@dataclass(frozen=True)
class Variant:
    """`Name` or `Name(value, …)`: a variant of an enum, of a union, or a tuple struct."""

    name: str
    values: tuple["Value", ...] = ()


@dataclass(frozen=True)
class Timestamp:
    """A `DateTime`, which prints as RFC 3339 without quotes."""

    text: str


@dataclass(frozen=True)
class Blob:
    """Bytes."""

    octets: bytes


@dataclass(frozen=True)
class Map:
    """A `HashMap`, in the order in which it was printed."""

    entries: tuple[tuple["Value", "Value"], ...]


@dataclass(frozen=True)
class Redacted:
    """A member that the service's model calls sensitive: its value cannot be known."""


Value = Union[None, bool, int, float, str, list["Value"], Struct, Variant, Timestamp, Blob, Map, Redacted]


class NotRustDebug(ValueError):
    """The text is not what `{:?}` prints; the message says where."""


_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"(?:r#)?[A-Za-z_][A-Za-z0-9_]*(?:::[A-Za-z_][A-Za-z0-9_]*)*")
_TIMESTAMP = re.compile(r"[+-]?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_NUMBER = re.compile(r"-?(?:\d+(?:\.\d+)?(?:e-?\d+)?|inf)")
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_HEX = re.compile(r"[0-9a-f]*")
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_SIMPLE = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "\\": "\\", '"': '"', "'": "'"}
_WORDS: dict[str, Value] = {"None": None, "true": True, "false": False, "NaN": float("nan"), "inf": float("inf")}


def parse(text: str) -> Value:
    """The value that `text` shows. `Some(x)` is `x`, `None` is `None`."""
    reader = _Reader(text)
    value = reader.value()
    reader.skip()
    if reader.at != len(text):
        raise reader.wrong("the end")
    return value


class _Reader:
    """A recursive-descent reader; `at` is the next character."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def wrong(self, wanted: str) -> NotRustDebug:
        return NotRustDebug(f"expected {wanted} at character {self.at}: {self.text[self.at:self.at + 40]!r}")

    def skip(self) -> None:
        self.at = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What `pattern` matches here, after white space."""
        self.skip()
        found = pattern.match(self.text, self.at)
        if found:
            self.at = found.end()
        return found

    def sees(self, token: str) -> bool:
        """Takes `token` if it is next."""
        self.skip()
        if not self.text.startswith(token, self.at):
            return False
        self.at += len(token)
        return True

    def want(self, token: str) -> None:
        if not self.sees(token):
            raise self.wrong(f"`{token}`")

    def value(self) -> Value:
        if found := self.take(_TIMESTAMP):
            return Timestamp(found[0])
        if found := self.take(_NUMBER):
            is_whole = re.fullmatch(r"-?\d+", found[0])
            return int(found[0]) if is_whole else float(found[0])
        if self.sees("b\""):
            self.at -= 1
            return Blob(self.string().encode("latin-1"))
        if self.sees("\""):
            self.at -= 1
            text = self.string()
            return Redacted() if text == REDACTED_TEXT else text
        if self.sees("["):
            return self.until("]")
        if self.sees("("):
            return self.until(")")
        if self.sees("{"):
            return self.map()
        return self.named()

    def string(self) -> str:
        found = self.take(_TEXT)
        if not found:
            raise self.wrong("text in quotes")
        return _ESCAPE.sub(self.unescape, found[1])

    def unescape(self, found: re.Match[str]) -> str:
        code = found[1] or found[2]
        if code:
            return chr(int(code, 16))
        if found[3] not in _SIMPLE:
            raise self.wrong(f"an escape that Rust knows, not `{found[0]}`, before")
        return _SIMPLE[found[3]]

    def until(self, closing: str) -> list[Value]:
        """Values with commas between them, up to `closing`; `{:#?}` has a comma after the last one too."""
        values: list[Value] = []
        while not self.sees(closing):
            values.append(self.value())
            if not self.sees(","):
                self.want(closing)
                break
        return values

    def map(self) -> Map:
        entries: list[tuple[Value, Value]] = []
        while not self.sees("}"):
            key = self.value()
            self.want(":")
            entries.append((key, self.value()))
            if not self.sees(","):
                self.want("}")
                break
        return Map(tuple(entries))

    def named(self) -> Value:
        found = self.take(_NAME)
        if not found:
            raise self.wrong("a value")
        name = found[0]
        if name in _WORDS:
            return _WORDS[name]
        if self.sees("("):
            values = self.until(")")
            return values[0] if name == "Some" and len(values) == 1 else Variant(name, tuple(values))
        if self.sees("{"):
            return self.blob() if name == "Blob" else Struct(name, self.fields())
        return Variant(name)

    def fields(self) -> dict[str, Value]:
        fields: dict[str, Value] = {}
        while not self.sees("}"):
            name = self.take(_NAME)
            if not name:
                raise self.wrong("a field's name")
            self.want(":")
            if name[0] in fields:
                raise self.wrong(f"`{name[0]}` only once, before")
            fields[name[0]] = self.value()
            if not self.sees(","):
                self.want("}")
                break
        return fields

    def blob(self) -> Blob:
        """`Blob { inner: 68656c6c6f }`: hexadecimal without quotes, which may look like a number or be empty."""
        self.want("inner")
        self.want(":")
        digits = self.take(_HEX)
        octets = bytes.fromhex(digits[0] if digits else "")
        self.sees(",")
        self.want("}")
        return Blob(octets)
