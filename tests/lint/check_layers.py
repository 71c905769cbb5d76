#!/usr/bin/python3
"""Every #include of our own obeys the table below, and private libraries stay out of headers.

The table is the architecture: a room may include itself and the rooms it names. Run by ctest; prints each offence.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])

CORE = {
    "base": [],
    "model": ["base"],
    "async": ["base"],
    "crypto": ["base"],
    "http": ["base", "async"],
    "http/curl": ["http", "base", "async"],
    "odoo": ["base", "model", "async", "http"],
    "orders": ["base", "model", "crypto"],
    "storage": ["base", "model"],
    "storage/sqlite": ["storage", "base", "model", "crypto"],
    "events": ["base", "model", "async", "storage"],
    "delivery": ["base", "model", "async", "crypto", "http", "orders", "storage"],
    "polling": ["base", "model", "async", "odoo", "orders", "storage", "http"],
}

# Adapters are known to the composition root and to the commands of pollerd alone.
ADAPTERS = ("core/http/curl/", "core/storage/sqlite/")
MAY_USE_ADAPTERS = ("server/app", "server/commands/", "tests/")

# What others see of an adapter; its other headers are its own.
FACES = ("core/http/curl/curl_http_client.h", "core/storage/sqlite/sqlite_storage.h")

# Library -> rooms whose .cc files may include it; no header of ours may.
PRIVATE = {
    r"<curl/": ["core/http/curl"],
    r"<sqlite3\.h>": ["core/storage/sqlite", "tests"],
    r"<sodium": ["core/crypto", "tests"],
    r"<openssl/": ["core/crypto", "tests"],
    r"<spdlog/": ["core/base"],
    r"<prometheus/": ["core/base"],
}
# Which rooms may see these at all.
LIBRARIES = {
    r"<grpcpp/|\.grpc\.pb\.h": ["server", "client", "tests"],
    r"\.pb\.h": ["server", "client", "tests"],
    r"<boost/asio": ["core/async", "core/http", "core/odoo", "core/events", "core/delivery", "core/polling", "server", "tests"],
    r"<boost/json": ["core/odoo", "core/orders", "core/polling", "core/storage/sqlite", "server", "client", "tests"],
}

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<][^">]+[">])', re.MULTILINE)


def room_of(path):
    """The room of core/ a file stands in: the longest that matches."""
    inside = path[len("core/"):]
    return max((room for room in CORE if inside.startswith(room + "/")), key=len, default=None)


def check(path, text):
    offences = []
    is_header = path.endswith(".h")
    for target in INCLUDE.findall(text):
        quoted = target.strip('"') if target.startswith('"') else ""
        top = path.split("/", 1)[0]
        if top == "core":
            room = room_of(path)
            if room is None:
                offences.append(f"{path}: stands in no room of the table")
                break
            if quoted.startswith(("server/", "client/", "tests/")):
                offences.append(f"{path}: core includes {quoted}")
            elif quoted.startswith("core/"):
                other = room_of(quoted)
                if other != room and other not in CORE[room]:
                    offences.append(f"{path}: {room} may not include {other} ({quoted})")
        if top == "client" and quoted.startswith("core/") and not quoted.startswith("core/base/"):
            offences.append(f"{path}: the client uses core/base alone, not {quoted}")
        if quoted.startswith(ADAPTERS) and not path.startswith(ADAPTERS + MAY_USE_ADAPTERS):
            offences.append(f"{path}: only the composition root may include the adapter {quoted}")
        for pattern, rooms in PRIVATE.items():
            if re.search(pattern, target):
                if not path.startswith(tuple(rooms)):
                    offences.append(f"{path}: {target} belongs to {', '.join(rooms)}")
                elif is_header and path.startswith("core/") and (path in FACES or not path.startswith(ADAPTERS)):
                    offences.append(f"{path}: {target} may not stand in a header")
        for pattern, rooms in LIBRARIES.items():
            if re.search(pattern, target) and not path.startswith(tuple(rooms)):
                offences.append(f"{path}: {target} belongs to {', '.join(rooms)}")
    return offences


def main():
    offences, files = [], 0
    for top in ("core", "server", "client", "tests"):
        for file in sorted((ROOT / top).rglob("*")):
            if file.suffix in (".h", ".cc"):
                files += 1
                offences += check(str(file.relative_to(ROOT)), file.read_text(encoding="utf-8"))
    for offence in offences:
        print(offence)
    print(f"{files} files, {len(offences)} offences")
    return 1 if offences or files == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
