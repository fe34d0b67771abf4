"""Amazon SQS on the loopback, as far as a controller uses it, with the memory for deduplication ids that AWS has.

moto forgets an id when its message is deleted; AWS remembers it for five minutes. Sources: SQS API Reference, and SQS
Developer Guide, "FIFO delivery logic", "Exactly-once processing" and "Dead-letter queues".
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ACCOUNT = "123456789012"
REMEMBERED_SECONDS = 300


class Refused(Exception):
    """An error of the API: its code, and what it says."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Message:
    """A message of a queue."""

    id: str
    body: str
    group: str | None
    visible: float
    receives: int = 0
    receipt: str | None = None


@dataclass
class Queue:
    """A queue; `dead` takes what was received `receives` times and not deleted."""

    name: str
    dead: Queue | None = None
    receives: int = 1000
    messages: list[Message] = field(default_factory=list)
    remembered: dict[str, tuple[float, str]] = field(default_factory=dict)
    absorbed: int = 0
    sent: list[str] = field(default_factory=list)

    @property
    def fifo(self) -> bool:
        """By its name, as AWS wants it."""
        return self.name.endswith(".fifo")

    @property
    def arn(self) -> str:
        """As policies name it."""
        return f"arn:aws:sqs:eu-west-1:{ACCOUNT}:{self.name}"

    def put(self, body: str, group: str | None, dedup: str | None, now: float) -> str:
        """The id of the message, or of the one that was sent under this deduplication id before."""
        self.remembered = {
            key: value for key, value in self.remembered.items() if now - value[0] < REMEMBERED_SECONDS
        }
        if dedup is not None and dedup in self.remembered:
            self.absorbed += 1
            return self.remembered[dedup][1]
        made = str(uuid.uuid4())
        if dedup is not None:
            self.remembered[dedup] = (now, made)
        self.messages.append(Message(made, body, group, now))
        self.sent.append(body)
        return made

    def take(self, most: int, hidden: float, now: float) -> list[Message]:
        """Messages in order; of a group none while one of it is in flight."""
        busy = {message.group for message in self.messages if message.visible > now and message.group}
        taken: list[Message] = []
        for message in list(self.messages):
            if len(taken) == most:
                break
            if message.visible > now or message.group in busy:
                continue
            if message.receives >= self.receives and self.dead is not None:
                self.messages.remove(message)
                self.dead.messages.append(message)
                continue
            message.receives += 1
            message.visible = now + hidden
            message.receipt = f"{message.id}/{uuid.uuid4()}"
            taken.append(message)
        return taken

    def held(self, receipt: str, now: float) -> Message | None:
        """The message of a receipt; of a FIFO queue an old receipt is refused."""
        for message in self.messages:
            if not receipt.startswith(message.id):
                continue
            if message.receipt == receipt and message.visible > now:
                return message
            if self.fifo:
                raise Refused("InvalidParameterValue", "The receipt handle has expired.")
        return None


class Server:
    """A server of queues, `with Server(port) as sqs:`."""

    def __init__(self) -> None:
        self.queues: dict[str, Queue] = {}
        self.moved = threading.Condition()
        handler = type("Handler", (_Handler,), {"sqs": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Server:
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()

    def make(self, name: str) -> str:
        """Makes a queue and its dead-letter queue, and gives its URL."""
        plain, dot, fifo = name.partition(".")
        dead = Queue(f"{plain}-dead{dot}{fifo}")
        self.queues[dead.name] = dead
        self.queues[name] = Queue(name, dead)
        return f"{self.url}/{ACCOUNT}/{name}?region=eu-west-1"

    def put(self, name: str, body: str, group: str | None = None) -> None:
        """Sends a message under an id of its own: as one that SQS has forgotten."""
        with self.moved:
            self.queues[name].put(body, group, str(uuid.uuid4()) if group else None, time.monotonic())
            self.moved.notify_all()

    def answer(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        """One call."""
        with self.moved:
            queue = self.queues.get(str(asked.get("QueueUrl", "")).rsplit("/", 1)[-1])
            if queue is None:
                raise Refused("QueueDoesNotExist", "The specified queue does not exist.")
            if operation == "ReceiveMessage":
                return self._receive(queue, asked)
            now = time.monotonic()
            self.moved.notify_all()
            if operation == "GetQueueAttributes":
                attributes = {"QueueArn": queue.arn}
                if queue.fifo:
                    attributes["FifoQueue"] = "true"
                if queue.dead is not None:
                    policy = {"deadLetterTargetArn": queue.dead.arn, "maxReceiveCount": queue.receives}
                    attributes["RedrivePolicy"] = json.dumps(policy)
                return {"Attributes": attributes}
            if operation == "SendMessage":
                group, dedup = asked.get("MessageGroupId"), asked.get("MessageDeduplicationId")
                if queue.fifo and not (group and dedup):
                    raise Refused("MissingParameter", "A FIFO queue needs a group and a deduplication id.")
                return {"MessageId": queue.put(asked["MessageBody"], group, dedup, now)}
            message = queue.held(asked["ReceiptHandle"], now)
            if operation == "DeleteMessage":
                if message is not None:
                    queue.messages.remove(message)
                return {}
            if operation == "ChangeMessageVisibility":
                if message is None:
                    raise Refused("MessageNotInflight", "The message is not in flight.")
                message.visible = now + asked["VisibilityTimeout"]
                return {}
            raise Refused("UnsupportedOperation", operation)

    def _receive(self, queue: Queue, asked: dict[str, Any]) -> dict[str, Any]:
        end = time.monotonic() + asked.get("WaitTimeSeconds", 0)
        while True:
            now = time.monotonic()
            taken = queue.take(asked.get("MaxNumberOfMessages", 1), asked.get("VisibilityTimeout", 30), now)
            if taken or now >= end:
                break
            # Also for what is hidden until then.
            self.moved.wait(min(end - now, 0.5))
        told = [
            {"MessageId": message.id, "ReceiptHandle": message.receipt, "Body": message.body} for message in taken
        ]
        return {"Messages": told} if told else {}


class _Handler(BaseHTTPRequestHandler):
    """AWS JSON 1.0: the operation in `X-Amz-Target`, errors as `__type`."""

    protocol_version = "HTTP/1.1"
    sqs: Server

    def do_POST(self) -> None:
        """The only method of the protocol."""
        operation = self.headers.get("X-Amz-Target", "").rsplit(".", 1)[-1]
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        try:
            status, body = 200, self.sqs.answer(operation, asked)
        except Refused as refused:
            status, body = 400, {"__type": f"com.amazonaws.sqs#{refused.code}", "message": str(refused)}
        text = json.dumps(body).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(text)))
            self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
            self.end_headers()
            self.wfile.write(text)
        except OSError:
            # Whoever asked was killed. What it received comes back when it is not hidden any more.
            pass

    def handle(self) -> None:
        """Until whoever asks is killed, or has enough."""
        try:
            super().handle()
        except ConnectionError:
            pass

    def log_message(self, format: str, *_: object) -> None:
        """Nobody reads it."""
