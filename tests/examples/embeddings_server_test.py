"""Asks examples/embeddings_server as OpenAI's clients do.

Usage: embeddings_server_test.py SERVER MODEL
"""
import base64
import json
import struct
import subprocess
import sys
import urllib.error
import urllib.request

server = subprocess.Popen([*sys.argv[1:], "0"], stdout=subprocess.PIPE, encoding="utf-8")
url = server.stdout.readline().strip()


def ask(body, path=url):
    """Status and answer of a POST, or of a GET where there is no body."""
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(path, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def check(condition, found):
    if not condition:
        raise AssertionError(found)


try:
    texts = ["아이가 공을 찬다", "아이가 공을 차고 있다", "금리가 올랐다"]
    status, answer = ask({"model": "demo", "input": texts})
    check(status == 200, answer)
    check(answer["object"] == "list" and answer["model"] == "demo", answer)
    check([d["index"] for d in answer["data"]] == [0, 1, 2], answer)
    vectors = [d["embedding"] for d in answer["data"]]
    check([len(v) for v in vectors] == [256] * 3, answer)
    dot = lambda a, b: sum(x * y for x, y in zip(a, b))
    check(abs(dot(vectors[0], vectors[0]) - 1) < 1e-5, vectors[0])
    check(dot(vectors[0], vectors[1]) > dot(vectors[0], vectors[2]) + 0.2, vectors)
    check(answer["usage"]["prompt_tokens"] == answer["usage"]["total_tokens"] > 9, answer["usage"])

    # What OpenAI's Python client sends.
    status, answer = ask({"model": "demo", "input": texts[0], "encoding_format": "base64"})
    check(status == 200, answer)
    packed = base64.b64decode(answer["data"][0]["embedding"], validate=True)
    check(list(struct.unpack("<256f", packed)) == vectors[0], answer)

    for body, param in ((b"{", None), (b"[1]", None), ({}, "input"), ({"input": []}, "input"),
                        ({"input": [1]}, "input"), ({"input": ["x"] * 2049}, "input"),
                        ({"input": "x", "encoding_format": "hex"}, "encoding_format"),
                        ({"input": "x", "encoding_format": 7}, None),
                        ({"input": "x", "dimensions": 3}, "dimensions")):
        status, answer = ask(body)
        check(status == 400 and answer["error"]["type"] == "invalid_request_error", answer)
        check(answer["error"]["param"] == param, answer)

    status, answer = ask(None, url.replace("/embeddings", "/models"))
    check(status == 200 and answer["data"][0]["id"] == "demo", answer)
    print("embeddings_server answered %d requests" % 12)
finally:
    server.kill()
