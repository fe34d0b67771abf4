"""RPC v2 CBOR for moto, which speaks CloudWatch's older protocols only: one of them is spoken to it instead.

A request of `/service/TARGET/operation/NAME` (Smithy, "RPC v2 CBOR protocol") goes on as AWS JSON 1.0, and what moto
answers comes back as CBOR. What the request asks for, and what is answered, stays moto's to judge. botocore does the
reading and the writing, so both are AWS's own.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import JSONParser, RpcV2CBORParser
from botocore.serialize import RpcV2CBORSerializer

Start = Callable[..., Any]
App = Callable[[dict[str, Any], Start], Iterable[bytes]]

PATH = re.compile(r"^/service/(?P<target>\w+)/operation/(?P<name>\w+)$")
# By the target that the path names.
SERVICES = {"GraniteServiceVersion20100801": "cloudwatch"}


def _model(service: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def decoded(body: bytes) -> Any:
    """CBOR as plain values."""
    parser = RpcV2CBORParser()
    return parser.parse_data_item(parser.get_peekable_stream_from_bytes(body)) if body else {}


def encoded(value: Any, shape: Any) -> bytes:
    """A value as CBOR by its shape in the model."""
    data = bytearray()
    RpcV2CBORSerializer()._serialize_data_item(data, value, shape)
    return bytes(data)


class Cbor:
    """moto's application, that answers in CBOR where it is asked in CBOR."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._models = {target: _model(service) for target, service in SERVICES.items()}

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """A WSGI call."""
        asked = PATH.match(environ.get("PATH_INFO", ""))
        if asked is None or asked["target"] not in self._models:
            return self._app(environ, start)
        operation = self._models[asked["target"]].operation_model(asked["name"])
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = json.dumps(decoded(environ["wsgi.input"].read(length))).encode()
        told: dict[str, Any] = {}

        def inner(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
            told.update(status=status, headers=headers)

        plain = {
            **environ,
            "PATH_INFO": "/",
            "RAW_URI": "/",
            "REQUEST_URI": "/",
            "CONTENT_TYPE": "application/x-amz-json-1.0",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_X_AMZ_TARGET": f"{asked['target']}.{asked['name']}",
            "wsgi.input": io.BytesIO(body),
        }
        answer = b"".join(self._app(plain, inner))
        out = self._answer(operation, told["status"], answer)
        kept = [(name, value) for name, value in told["headers"] if name.lower() == "x-amzn-requestid"]
        sent = [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")]
        start(told["status"], [*kept, *sent, ("Content-Length", str(len(out)))])
        return [out]

    def _answer(self, operation: Any, status: str, answer: bytes) -> bytes:
        shape = operation.output_shape
        if not status.startswith("2"):
            said = json.loads(answer or b"{}")
            code = str(said.get("__type", "InternalServiceFault"))
            return encoded_error(code, str(said.get("message", said.get("Message", ""))))
        if shape is None:
            return b"\xa0"
        response = {"body": answer, "headers": {}, "status_code": 200}
        parsed = JSONParser().parse(response, shape)
        parsed.pop("ResponseMetadata", None)
        return encoded(parsed, shape)


def encoded_error(code: str, message: str) -> bytes:
    """A map of two texts: short ones, and those of up to 65,535 bytes."""

    def text(value: str) -> bytes:
        raw = value.encode()
        return b"\x79" + len(raw).to_bytes(2, "big") + raw

    return b"\xa2" + text("__type") + text(code) + text("message") + text(message)
