"""A model hub in a thread: the part of the hub's HTTP interface that `huggingface_hub` uses.

Keeps what is uploaded in memory. It answers to create, preupload, commit, revision, tree and
resolve.
"""

import base64
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0" * 39 + "1"


class HubServer(ThreadingHTTPServer):
    """A context manager; `files` maps (repository, path) to content."""

    def __init__(self, token):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.token, self.files, self.private = token, {}, {}

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Authorization") != f"Bearer {self.server.token}":
            return self.reply({"error": "who are you?"}, status=401)
        if self.path == "/api/repos/create":
            asked = json.loads(body)
            name = f"{asked['organization']}/{asked['name']}"
            self.server.private[name] = asked.get("private", asked.get("visibility") == "private")
            return self.reply({"url": f"{self.server.url}/{name}", "id": name})
        if self.path == "/api/validate-yaml":
            return self.reply({"errors": [], "warnings": []})
        repository, verb = re.fullmatch(r"/api/models/(\S+?)/(preupload|commit)/main",
                                        self.path.partition("?")[0]).groups()  # fmt: skip
        if verb == "preupload":
            files = [
                {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False}
                for file in json.loads(body)["files"]
            ]
            return self.reply({"files": files})
        for line in body.splitlines():
            entry = json.loads(line)
            if entry["key"] == "file":
                content = base64.b64decode(entry["value"]["content"])
                self.server.files[repository, entry["value"]["path"]] = content
        address = f"{self.server.url}/{repository}/commit/{COMMIT}"
        return self.reply({"commitUrl": address, "commitOid": COMMIT, "pullRequestUrl": None})

    def do_GET(self):
        path = self.path.partition("?")[0]
        if found := re.fullmatch(r"/api/models/(\S+?)/(revision|tree)/\w+", path):
            files = {
                n: c for (repository, n), c in self.server.files.items() if repository == found[1]
            }
            if found[2] == "tree":
                return self.reply(
                    [
                        {"type": "file", "path": name, "size": len(content), "oid": COMMIT}
                        for name, content in files.items()
                    ]
                )
            siblings = [{"rfilename": name} for name in files]
            return self.reply({"id": found[1], "sha": COMMIT, "siblings": siblings})
        if found := re.fullmatch(r"/(\S+?)/resolve/\w+/(\S+)", path):
            content = self.server.files.get((found[1], found[2]))
            if content is not None:
                return self.reply(content)
        return self.reply({"error": "no such entry"}, status=404)

    do_HEAD = do_GET  # noqa: N815 - the name is asked for

    def reply(self, content, *, status=200):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
