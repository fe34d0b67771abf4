"""Checks values of the Rust SDK against the API models that botocore ships: the services' own word.

Rust's names differ from the model's by case and underscores only (`finding_publishing_frequency`,
`FifteenMinutes`), so both are compared with everything but letters and digits taken out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, Iterable

import botocore.session
import regex
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StringShape, StructureShape

from rust_debug import Blob, Map, Redacted, Struct, Timestamp, Value, Variant

# Fields of the Rust SDK that stand in no model.
RUST_ONLY = {
    ("s3", "expiresstring"): "the SDK keeps an `Expires` that it could not read beside the one that it could",
}

# Names that botocore has for services, where these are not the prefixes of their IAM actions.
BOTOCORE = {"elasticloadbalancing": "elbv2"}

# Where a service does not keep to its own model, by service and shape: the members, and why.
UNLIKE_ITS_MODEL = {
    ("iam", "User"): (
        {"Path", "UserName", "UserId"},
        lambda user: str(user.get("arn")).endswith(":root"),
        "the root user has no name and no path, and its id is the account's: the SDK fills in what it requires",
    ),
}


@dataclass(frozen=True)
class Failure:
    """One value that the service would not send or take."""

    service: str
    operation: str
    path: str
    value: str
    rule: str

    def __str__(self) -> str:
        shown = self.value if len(self.value) <= 120 else f"{self.value[:117]}..."
        return f"{self.service}:{self.operation} {self.path} = {shown}: {self.rule}"


def plain(name: str) -> str:
    """A name as both sides spell it: letters and digits, in lower case."""
    return "".join(letter for letter in name.removeprefix("r#").lower() if letter.isalnum())


def spellings(word: str) -> set[str]:
    """How the SDK may spell a word of an enum: `AWS::EC2::Instance` is `Instance`, and others are `Ec2Instance`."""
    parts = word.split("::")
    return {plain("".join(parts[start:])) for start in range(len(parts))}


@cache
def service_model(service: str) -> ServiceModel:
    """The model of a service by its IAM prefix, which for most services here is botocore's name as well.

    Raises `botocore.exceptions.UnknownServiceError`.
    """
    return _session().get_service_model(BOTOCORE.get(service, service))


@cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


@lru_cache(maxsize=None)
def _pattern(text: str) -> regex.Pattern[str]:
    """The models' patterns are Java's; `regex` knows the `\\p{L}` that `re` lacks."""
    return regex.compile(text)


@dataclass
class Checker:
    """Checks the values of one operation and keeps what it found."""

    service: str
    operation: str
    failures: list[Failure] = field(default_factory=list)
    not_checked: Counter[str] = field(default_factory=Counter)

    def fail(self, path: str, value: Any, rule: str) -> None:
        self.failures.append(Failure(self.service, self.operation, path, repr(value), rule))

    def message(self, side: str, shape: Shape | None, value: Value) -> None:
        """A whole input or output: `side` is `input` or `output`, and ends the name of its struct."""
        wanted = plain(self.operation + side)
        if not isinstance(value, (Struct, Variant)) or plain(value.name) != wanted:
            return self.fail(side, value, f"expected the SDK's struct for the {side} of {self.operation}")
        fields = value.fields if isinstance(value, Struct) else {}
        self.members(shape if isinstance(shape, StructureShape) else None, fields, side)

    def value(self, shape: Shape, value: Value, path: str) -> None:
        """Any value, by the kind of its shape."""
        if isinstance(value, Redacted):
            self.not_checked["a sensitive member, which the SDK's Debug redacts"] += 1
        elif shape.serialization.get("streaming") or (isinstance(value, Struct) and value.name == "ByteStream"):
            self.not_checked["a streamed body"] += 1
        elif shape.metadata.get("document"):
            self.not_checked["a member that is free-form JSON"] += 1
        elif isinstance(shape, StructureShape):
            self.structure(shape, value, path)
        elif isinstance(shape, ListShape):
            self.list(shape, value, path)
        elif isinstance(shape, MapShape):
            self.map(shape, value, path)
        elif isinstance(shape, StringShape) or shape.type_name in ("string", "character"):
            self.text(shape, value, path)
        else:
            self.leaf(shape, value, path)

    def structure(self, shape: StructureShape, value: Value, path: str) -> None:
        if shape.metadata.get("union"):
            if not isinstance(value, Variant) or len(value.values) != 1:
                return self.fail(path, value, f"expected one member of the union {shape.name}")
            return self.members(shape, {value.name: value.values[0]}, path)
        if isinstance(value, Variant) and not value.values:
            return self.members(shape, {}, path)
        if not isinstance(value, Struct):
            return self.fail(path, value, f"expected the structure {shape.name}")
        return self.members(shape, value.fields, path)

    def members(self, shape: StructureShape | None, fields: dict[str, Value], path: str) -> None:
        known = {plain(name): (name, member) for name, member in (shape.members if shape else {}).items()}
        given = {plain(name): value for name, value in fields.items() if not name.startswith("_")}
        for name in shape.required_members if shape else []:
            member = shape.members[name]  # type: ignore[union-attr]
            if plain(name) in given and "none" in map(plain, getattr(member, "enum", None) or []):
                # A variant that is called `None` looks like nothing at all.
                continue
            if given.get(plain(name)) is None and not member.metadata.get("idempotencyToken"):
                self.fail(f"{path}.{name}", None, "required")
        unlike, applies, why = UNLIKE_ITS_MODEL.get((self.service, shape.name if shape else ""), (set(), bool, ""))
        for name, value in given.items():
            if (self.service, name) in RUST_ONLY:
                continue
            if applies(given) and name in map(plain, unlike):
                self.not_checked[why] += 1
                continue
            if name not in known:
                self.fail(f"{path}.{name}", value, "the model has no such member")
            elif value is not None:
                real, member = known[name]
                self.value(member, value, f"{path}.{real}")

    def list(self, shape: ListShape, value: Value, path: str) -> None:
        if not isinstance(value, list):
            return self.fail(path, value, f"expected a list of {shape.member.name}")
        self.size(shape, len(value), value, path, "items")
        for index, item in enumerate(value):
            self.value(shape.member, item, f"{path}[{index}]")

    def map(self, shape: MapShape, value: Value, path: str) -> None:
        if not isinstance(value, Map):
            return self.fail(path, value, f"expected a map of {shape.value.name}")
        self.size(shape, len(value.entries), value, path, "entries")
        for key, item in value.entries:
            self.value(shape.key, key, f"{path}.keys()")
            self.value(shape.value, item, f"{path}[{key!r}]")

    def text(self, shape: Shape, value: Value, path: str) -> None:
        words: Iterable[str] = getattr(shape, "enum", []) or []
        if isinstance(value, Variant):
            return self.word(shape, words, value, path)
        if not isinstance(value, str):
            return self.fail(path, value, f"expected text ({shape.name})")
        if words and value not in words:
            self.fail(path, value, f"enum {shape.name}: none of {', '.join(words)}")
        self.size(shape, len(value), value, path, "characters")
        pattern = shape.metadata.get("pattern")
        # The services anchor their patterns, whether or not the model's text does.
        if pattern and not _pattern(pattern).fullmatch(value):
            self.fail(path, value, f"pattern {pattern}")

    def word(self, shape: Shape, words: Iterable[str], value: Variant, path: str) -> None:
        """A variant of an enum: by name, or `Unknown(UnknownVariantValue("word"))` with the word as sent."""
        if value.name == "Unknown" and value.values:
            inner = value.values[0]
            sent = inner.values[0] if isinstance(inner, Variant) and inner.values else inner
            is_known = isinstance(sent, str) and sent in words
        else:
            # `UnknownValue` is the word `unknown`: the SDK keeps `Unknown` for itself.
            name = "unknown" if value.name == "UnknownValue" else plain(value.name)
            is_known = not value.values and any(name in spellings(word) for word in words)
        if not is_known:
            self.fail(path, value, f"enum {shape.name}: none of {', '.join(words)}")

    def leaf(self, shape: Shape, value: Value, path: str) -> None:
        kinds: dict[str, tuple[type, ...]] = {
            "boolean": (bool,),
            "integer": (int,),
            "long": (int,),
            "float": (float, int),
            "double": (float, int),
            "timestamp": (Timestamp,),
            "blob": (Blob,),
        }
        kind = kinds[shape.type_name]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind != (bool,)):
            return self.fail(path, value, f"expected {shape.type_name} ({shape.name})")
        if isinstance(value, Blob):
            self.size(shape, len(value.octets), value, path, "bytes")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            self.size(shape, value, value, path, "")

    def size(self, shape: Shape, size: float, value: Value, path: str, unit: str) -> None:
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        if low is not None and size < low:
            self.fail(path, value, f"at least {low} {unit}".rstrip() + f" ({shape.name})")
        if high is not None and size > high:
            self.fail(path, value, f"at most {high} {unit}".rstrip() + f" ({shape.name})")


def error_codes(operation: OperationModel) -> set[str]:
    """The codes that an operation's own errors have on the wire."""
    return {shape.error_code for shape in operation.error_shapes}
