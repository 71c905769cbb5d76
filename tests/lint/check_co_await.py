#!/usr/bin/python3
"""No aggregate is made, and no lambda written, inside a co_await expression or as an argument of co_spawn.

g++ 12 destroys such a temporary twice. Name it first, then move it in. Nor does a co_await stand in the condition of an if,
while, for or switch: g++ 12 then lays out the coroutine's frame wrongly. Run by ctest; prints each offence.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])

CONDITION = re.compile(r"\b(if|while|for|switch)\s*\(")
START = re.compile(r"\b(co_await|co_spawn|async_initiate)\b")


def strip_comments_and_texts(text):
    """Blanks comments and literals, keeping offsets and lines."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    pattern = r'//[^\n]*|/\*.*?\*/|R"\((?:.|\n)*?\)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, blank, text, flags=re.DOTALL)


def expression_from(code, start):
    """The rest of the expression: up to the end of the statement, or the bracket that encloses it."""
    depth = 0
    for position in range(start, len(code)):
        char = code[position]
        if char in "([":
            depth += 1
        elif char in ")]":
            depth -= 1
            if depth < 0:
                return code[start:position]
        elif char == "{" or char == ";":
            if char == ";" or depth == 0:
                return code[start:position]
            return code[start:position + 1]
    return code[start:]


def bracket_from(code, start):
    """What stands between the bracket that ends before `start` and its partner."""
    depth = 1
    for position in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[position], 0)
        if depth == 0:
            return code[start:position]
    return code[start:]


def offences_in(path, text):
    code = strip_comments_and_texts(text)
    for match in START.finditer(code):
        expression = expression_from(code, match.end())
        if expression.endswith("{"):
            line = code.count("\n", 0, match.start()) + 1
            yield f"{path}:{line}: braces inside a {match.group(1)} expression: name the value first"
    for match in CONDITION.finditer(code):
        head = bracket_from(code, match.end())
        # An init-statement before the condition is safe.
        parts = head.split(";")
        condition = parts[1] if match.group(1) == "for" and len(parts) > 1 else parts[-1]
        if "co_await" in condition:
            line = code.count("\n", 0, match.start()) + 1
            yield f"{path}:{line}: co_await in the condition of a {match.group(1)}: name the result first"


def main():
    found, files = [], 0
    for top in ("core", "server", "client", "tests"):
        for file in sorted((ROOT / top).rglob("*")):
            if file.suffix in (".h", ".cc"):
                files += 1
                found += offences_in(str(file.relative_to(ROOT)), file.read_text(encoding="utf-8"))
    for offence in found:
        print(offence)
    print(f"{files} files, {len(found)} offences")
    return 1 if found or files == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
