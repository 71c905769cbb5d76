#!/usr/bin/python3
"""The lints find what they are for: each is run on a small tree with one offence, and on one without."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).parent


def run(lint, files):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        done = subprocess.run([sys.executable, HERE / lint, folder], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout


class Lints(unittest.TestCase):
    def assert_found(self, lint, path, text, what):
        code, output = run(lint, {path: text})
        self.assertEqual(code, 1, output)
        self.assertIn(what, output)

    def assert_clean(self, lint, path, text):
        code, output = run(lint, {path: text})
        self.assertEqual(code, 0, output)

    def test_layers_find_a_room_that_reaches_into_another(self):
        self.assert_found("check_layers.py", "core/polling/a.cc", '#include "core/delivery/b.h"\n', "may not include delivery")

    def test_layers_find_an_adapter_outside_the_composition_root(self):
        self.assert_found("check_layers.py", "server/services/a.cc", '#include "core/storage/sqlite/s.h"\n', "composition root")

    def test_layers_find_a_private_library_in_a_header(self):
        self.assert_found("check_layers.py", "core/crypto/a.h", "#include <sodium.h>\n", "may not stand in a header")

    def test_layers_find_grpc_in_core(self):
        self.assert_found("check_layers.py", "core/base/a.cc", "#include <grpcpp/grpcpp.h>\n", "belongs to")

    def test_layers_accept_what_the_table_allows(self):
        self.assert_clean("check_layers.py", "core/delivery/a.cc", '#include "core/storage/outbox_store.h"\n')

    def test_clock_finds_a_direct_clock(self):
        self.assert_found("check_clock.py", "core/model/a.cc", "auto t = absl::Now();\n", "ask Clock")

    def test_clock_finds_a_sleep(self):
        self.assert_found("check_clock.py", "tests/unit/a.cc", "absl::SleepFor(absl::Seconds(1));\n", "Sleeper")

    def test_clock_passes_over_comments(self):
        self.assert_clean("check_clock.py", "core/model/a.cc", "// never absl::Now()\n")

    def test_co_await_finds_an_aggregate(self):
        self.assert_found("check_co_await.py", "core/odoo/a.cc", "auto r = co_await Send(Request{.url = u});\n", "name the value")

    def test_co_await_finds_a_lambda_on_another_line(self):
        self.assert_found("check_co_await.py", "core/odoo/a.cc", "co_spawn(ex,\n  [x]() -> Task<void> { co_return; }, d);\n", "co_spawn")

    def test_co_await_accepts_a_named_value_and_a_following_block(self):
        self.assert_clean("check_co_await.py", "core/odoo/a.cc", "if (const bool ok = co_await Send(std::move(r)); ok) { x = {}; }\n")

    def test_co_await_finds_a_condition(self):
        self.assert_found("check_co_await.py", "core/odoo/a.cc", "while (x &&\n  !co_await Send(r)) {}\n", "in the condition")


if __name__ == "__main__":
    unittest.main()
