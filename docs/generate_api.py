"""Writes the API reference: generate_api.py DESCRIPTOR_SET ROLES, to standard output.

DESCRIPTOR_SET is made by protoc with --include_source_info; ROLES is the source file with the table
of which role each RPC needs. What has no comment or no role is an error: docs/generate.sh runs this.
"""

import re
import sys

from google.protobuf import descriptor_pb2

PACKAGE = "odoopoller.v1"
Field = descriptor_pb2.FieldDescriptorProto
# Numbers of the fields of FileDescriptorProto and its parts, as source locations name them.
MESSAGES, ENUMS, SERVICES, FIELDS, VALUES, METHODS = 4, 5, 6, 2, 2, 2

HEAD = """\
# API reference

Package `odoopoller.v1`, over gRPC, with reflection and health. Made from the comments in
[proto/odoopoller/v1](../proto/odoopoller/v1) by `docs/generate.sh`: change those, not this page.
How to follow orders from a service of your own: [follow-orders.md](follow-orders.md). The errors
that every call can have: [ConnectionService](#connectionservice); all reasons: [Errors](#errors).
"""


class Reference:
    def __init__(self, files, roles):
        self.roles = roles
        self.comments, self.messages, self.enums, self.services = {}, {}, {}, {}
        # What says what holds for all comes first.
        for file in sorted(files, key=lambda file: not file.name.endswith("/connection_service.proto")):
            self._read(file)

    def _read(self, file):
        texts = {tuple(at.path): at.leading_comments for at in file.source_code_info.location}

        def note(name, path):
            text = texts.get(path, "").strip("\n")
            if not text.strip():
                sys.exit(f"{file.name}: {name} has no comment")
            self.comments[name] = [line[1:] if line.startswith(" ") else line for line in text.split("\n")]

        parts = [(MESSAGES, FIELDS, file.message_type, lambda m: m.field, self.messages),
                 (ENUMS, VALUES, file.enum_type, lambda e: e.value, self.enums),
                 (SERVICES, METHODS, file.service, lambda s: s.method, self.services)]
        for kind, member_kind, things, members, into in parts:
            for i, thing in enumerate(things):
                into[thing.name] = thing
                note(thing.name, (kind, i))
                for j, member in enumerate(members(thing)):
                    note(f"{thing.name}.{member.name}", (kind, i, member_kind, j))

    # Comments.

    def paragraphs(self, name):
        """Lines that are indented stay as they are; the others are joined."""
        result, joined, indented = [], [], []

        def flush():
            if joined:
                result.append(" ".join(joined))
            if indented:
                result.append("\n".join(["```"] + indented + ["```"]))
            joined.clear(), indented.clear()

        for line in self.comments[name]:
            if line.startswith("  "):
                if joined:
                    flush()
                indented.append(line[2:])
            else:
                if indented or not line.strip():
                    flush()
                if line.strip():
                    joined.append(line.strip())
        flush()
        return result

    def block(self, name):
        return "\n\n".join(self.paragraphs(name))

    def cell(self, name):
        """The same inside a table."""
        parts = []
        for text in self.paragraphs(name):
            if text.startswith("```"):
                parts += [re.sub(r" {2,}", " ", line) for line in text.split("\n")[1:-1]]
            else:
                parts.append(text)
        return "<br>".join(parts).replace("|", "\\|")

    # Types.

    def type_of(self, message, field):
        if field.type in (Field.TYPE_MESSAGE, Field.TYPE_ENUM):
            name = field.type_name.lstrip(".").removeprefix(PACKAGE + ".")
            shown = f"`{name}`" if "." in name else self.link(name)
        else:
            shown = f"`{Field.Type.Name(field.type).removeprefix('TYPE_').lower()}`"
        if field.label == Field.LABEL_REPEATED:
            shown = "repeated " + shown
        if field.proto3_optional:
            shown = "optional " + shown
        elif field.HasField("oneof_index"):
            shown += f", one of `{message.oneof_decl[field.oneof_index].name}`"
        return shown

    def link(self, name):
        return f"[{name}](#{name.lower()})"

    # Parts of the page.

    def fields(self, name):
        message = self.messages[name]
        if not message.field:
            return "No fields."
        rows = ["| field | number | type | |", "| --- | --- | --- | --- |"]
        for field in message.field:
            rows.append(f"| `{field.name}` | {field.number} | {self.type_of(message, field)} |"
                        f" {self.cell(f'{name}.{field.name}')} |")
        return "\n".join(rows)

    def role(self, service, method):
        try:
            return self.roles[f"{service.name}.{method.name}"]
        except KeyError:
            sys.exit(f"{service.name}.{method.name} has no role in the table of roles")

    def overview(self):
        rows = ["| service | RPC | role |", "| --- | --- | --- |"]
        for service in self.services.values():
            for method in service.method:
                stream = " (stream)" if method.server_streaming else ""
                rows.append(f"| {self.link(service.name)} | {self.link(method.name)}{stream} |"
                            f" {self.role(service, method)} |")
        return "\n".join(rows)

    def rpc(self, service, method):
        request, response = (t.rsplit(".", 1)[-1] for t in (method.input_type, method.output_type))
        stream = "stream of " if method.server_streaming else ""
        yield f"### {method.name}"
        yield f"Needs the role **{self.role(service, method)}**."
        yield self.block(f"{service.name}.{method.name}")
        yield f"Request: `{request}`"
        yield self.fields(request)
        yield f"Response: {stream}`{response}`"
        yield self.fields(response)

    def enum(self, name):
        rows = ["| value | number | |", "| --- | --- | --- |"]
        for value in self.enums[name].value:
            rows.append(f"| `{value.name}` | {value.number} | {self.cell(f'{name}.{value.name}')} |")
        return "\n".join(rows)

    def page(self):
        yield HEAD.rstrip()
        yield "## Overview"
        yield self.overview()
        shown = set()
        for service in self.services.values():
            yield f"## {service.name}"
            yield self.block(service.name)
            for method in service.method:
                shown |= {t.rsplit(".", 1)[-1] for t in (method.input_type, method.output_type)}
                yield from self.rpc(service, method)
        yield "## Messages"
        for name in sorted(set(self.messages) - shown):
            yield f"### {name}"
            yield self.block(name)
            yield self.fields(name)
        yield "## Enums"
        for name in sorted(set(self.enums) - {"ErrorReason"}):
            yield f"### {name}"
            yield self.block(name)
            yield self.enum(name)
        yield "## Errors"
        yield self.block("ErrorReason")
        rows = ["| reason | when |", "| --- | --- |"]
        for value in self.enums["ErrorReason"].value[1:]:
            name = value.name.removeprefix("ERROR_REASON_")
            rows.append(f"| `{name}` | {self.cell(f'ErrorReason.{value.name}')} |")
        yield "\n".join(rows)


def main():
    files = descriptor_pb2.FileDescriptorSet.FromString(open(sys.argv[1], "rb").read()).file
    table = re.findall(r'Entry\{"(\w+\.\w+)", Role::k(\w+)\}', open(sys.argv[2], encoding="utf-8").read())
    roles = {method: role.lower() for method, role in table}
    print("\n\n".join(Reference(files, roles).page()))


main()
