"""The same POSTs without the dispatcher: as fast as an HTTP library sends them, no guard, no limits."""

import selectors
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pycurl  # type: ignore[import-untyped]
import urllib3
from urllib3.util import create_urllib3_context

from benchmarks.paired import Work

OK = 200
PATH = "/hook"


@dataclass(frozen=True, slots=True)
class Post:
    """A callback's body and headers."""

    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Receiver:
    """The place that the POSTs go to. `authority`: the file with its certificate authority."""

    host: str
    port: int
    authority: Path


def urllib3_loop(receiver: Receiver, posts: Sequence[Post], *, rounds: int) -> Work:
    """Return a thread for each POST: one pool, one SSL context, no retries, no redirects."""
    context = create_urllib3_context()
    context.load_verify_locations(receiver.authority)
    pool = urllib3.HTTPSConnectionPool(
        receiver.host, receiver.port, maxsize=len(posts), ssl_context=context, retries=False
    )
    threads = ThreadPoolExecutor(len(posts))

    def send(post: Post) -> int:
        return pool.urlopen("POST", PATH, post.body, post.headers, redirect=False).status

    def work() -> int:
        for _ in range(rounds):
            _check(threads.map(send, posts))
        return rounds * len(posts)

    return work


def libcurl_loop(receiver: Receiver, posts: Sequence[Post], *, rounds: int) -> Work:
    """Return one thread with a handle for each POST, its socket in a selector, and kept connections."""
    multi = _Multi()
    multi.curl.setopt(pycurl.M_MAXCONNECTS, len(posts))
    url = f"https://{receiver.host}:{receiver.port}{PATH}"
    handles = [pycurl.Curl() for _ in posts]
    for handle in handles:
        handle.setopt(pycurl.URL, url)
        handle.setopt(pycurl.CAINFO, str(receiver.authority))
        handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        handle.setopt(pycurl.NOSIGNAL, 1)
        handle.setopt(pycurl.POST, 1)
        handle.setopt(pycurl.WRITEFUNCTION, lambda _: None)

    def work() -> int:
        for _ in range(rounds):
            for handle, post in zip(handles, posts, strict=True):
                handle.setopt(pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in post.headers.items()])
                handle.setopt(pycurl.POSTFIELDS, post.body)
            multi.run(handles)
            _check(handle.getinfo(pycurl.RESPONSE_CODE) for handle in handles)
        return rounds * len(posts)

    return work


class _Multi:
    """libcurl's multi interface over one selector. `curl`: its handle."""

    def __init__(self) -> None:
        self.curl = pycurl.CurlMulti()
        self._selector = selectors.DefaultSelector()
        self._seconds: float | None = None
        self.curl.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self.curl.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)

    def run(self, handles: Sequence[pycurl.Curl]) -> None:
        """Send all, at the same time, and return when the last one has ended."""
        for handle in handles:
            self.curl.add_handle(handle)
        left = len(handles)
        while left:
            ready = self._selector.select(self._seconds)
            for key, events in ready:
                self.curl.socket_action(key.fd, events)  # CSELECT_IN and _OUT are EVENT_READ and _WRITE
            if not ready:
                self.curl.socket_action(pycurl.SOCKET_TIMEOUT, 0)
            _, done, failed = self.curl.info_read(len(handles))
            if failed:
                raise AssertionError(failed)
            for handle in done:
                self.curl.remove_handle(handle)
            left -= len(done)

    def _watch(self, action: int, descriptor: int, _multi: object, _data: object) -> None:
        if descriptor in self._selector.get_map():
            self._selector.unregister(descriptor)
        if action != pycurl.POLL_REMOVE:
            self._selector.register(descriptor, action)  # POLL_IN and _OUT are EVENT_READ and _WRITE, too

    def _set_timer(self, milliseconds: int) -> None:
        self._seconds = None if milliseconds < 0 else milliseconds / 1000


def _check(statuses: Iterable[int]) -> None:
    for status in statuses:
        if status != OK:
            raise AssertionError(status)
