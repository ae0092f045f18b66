#!/usr/bin/python3
"""Holds the arrows of the layout: an include may only point downwards.

    workers, cli  /  providers, registry, chat  /  auth, events, topics, catalog  /  kafka, http, crypto, worker  /  async  /
    config, telemetry

Modules of one layer do not know each other, a worker never includes another, and headers directly in common/ lie
below all. The same arrows hold for the DEPENDS of tokenrail_module() and tokenrail_program(). Headers of the big
foreign libraries reach no other module but those named in SHARED, so that a change of library is a change of one module: they stay in .cpp
files and in headers that only their own module includes. No source sets the macros that change the layout of simdjson's classes.

    check_includes.py [ROOT]      prints each broken arrow as file:line, ends with 1 if there is any
    check_includes.py --self-test plants each kind of violation and checks that it is found
"""

import pathlib
import re
import sys
import tempfile
from typing import Iterator, NamedTuple, Optional

LAYERS = [  # from the lowest up
    {"common/config", "common/telemetry"},
    {"common/async"},
    {"common/kafka", "common/http", "common/crypto", "common/worker"},
    {"common/auth", "common/events", "common/topics", "common/catalog"},
    {"common/providers", "common/registry", "common/chat"},
    {"workers/*", "cli"},
]
PRODUCT = ("common", "workers", "cli")
SOURCE_SUFFIXES = {".hpp", ".cpp", ".h", ".cc", ".ipp"}

MACRO = re.compile(r"^\s*#\s*(?:define|undef)\s+(\w+)")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')

# Foreign headers that no header of ours may pass on to another module.
CONFINED = [
    ("librdkafka/", "librdkafka"),
    ("soci/", "SOCI"),
    ("boost/beast", "Boost.Beast"),
    ("simdjson", "simdjson"),
    ("curl/", "libcurl"),
    ("toml++/", "toml++"),
    ("yaml-cpp/", "yaml-cpp"),
    ("openssl/", "OpenSSL"),
    ("cjose/", "cjose"),
    ("jansson", "jansson"),
]
# Headers whose purpose is to hand a library on, and to which modules. Those may not pass it further.
SHARED = {"common/events/json_document.hpp": {"common/providers", "common/registry", "workers/registry_api"}}
# Beside common/kafka: tests and benchmarks, and the broker for development, which is librdkafka's own mock cluster.
RDKAFKA_ALLOWED = re.compile(r"^(common/kafka/.*|tests/.*|.*dev_broker.*\.cpp)$")
# Beside common/crypto: digests and base64 in modules that are older than it, and tests. Keys are used in common/crypto only.
OPENSSL_ALLOWED = re.compile(
    r"^(common/crypto/.*|tests/.*|common/auth/public_key\.cpp|common/events/(request_name|audit_content)\.cpp"
    r"|common/providers/(target|anthropic/content_part|openai/embeddings|cohere/messages)\.cpp)$"
)


class Violation(NamedTuple):
    where: str
    why: str


def module_of(path: str) -> Optional[str]:
    """The module of a path from the root; None for what is below all modules (common/result.hpp) and for tests."""
    parts = path.split("/")
    if parts[0] == "cli":
        return "cli"
    if parts[0] in ("common", "workers") and len(parts) > 2:
        return "/".join(parts[:2])
    return None


def layer_of(module: str) -> Optional[int]:
    for index, names in enumerate(LAYERS):
        if module in names or (module.startswith("workers/") and "workers/*" in names):
            return index
    return None


def arrow_problem(source: str, target: str) -> Optional[str]:
    """Why module `source` must not know module `target`; None when it may."""
    if source == target:
        return None
    source_layer, target_layer = layer_of(source), layer_of(target)
    if source_layer is None or target_layer is None:
        stranger = source if source_layer is None else target
        return f"{stranger} has no layer; give it one in scripts/check_includes.py"
    if source.startswith("workers/") and target.startswith("workers/"):
        return f"a worker never includes another: {source} -> {target}"
    if target_layer > source_layer:
        return f"the arrow points upwards: {source} -> {target}"
    if target_layer == source_layer:
        return f"modules of one layer do not know each other: {source} -> {target}"
    return None


def check_source(path: str, text: str) -> Iterator[Violation]:
    module = module_of(path)
    product = path.split("/")[0] in PRODUCT
    for number, line in enumerate(text.splitlines(), 1):
        macro = MACRO.match(line)
        if macro and macro.group(1).startswith("SIMDJSON_"):
            yield Violation(f"{path}:{number}", f"{macro.group(1)} is the same in every file: cmake/dependencies.cmake")
        match = INCLUDE.match(line)
        if not match:
            continue
        where, quote, target = f"{path}:{number}", match.group(1), match.group(2)
        top = target.split("/")[0]
        if quote == '"' and product:
            if top == "tests":
                yield Violation(where, f"the product never includes tests: {target}")
            elif top not in PRODUCT:
                yield Violation(where, f"name our own headers from the root of the repository, not as {target}")
            else:
                other = module_of(target)
                if module is None and other is not None:
                    yield Violation(where, f"{path} is below all modules and may not include {target}")
                elif module is not None and other is not None:
                    why = arrow_problem(module, other)
                    if why:
                        yield Violation(where, why)
        if quote == "<" and top in PRODUCT + ("tests",):
            yield Violation(where, f'our own headers are included with quotes: "{target}"')
        if target.startswith("librdkafka/") and not RDKAFKA_ALLOWED.match(path):
            yield Violation(where, f"librdkafka is included only in common/kafka: {target}")
        if target.startswith("openssl/") and not OPENSSL_ALLOWED.match(path):
            yield Violation(where, f"OpenSSL is included only in common/crypto: {target}")


def check_confined(sources: dict) -> Iterator[Violation]:
    """`sources`: text of each product source by path. Follows each foreign header to its last includers."""
    includers, foreign = {}, []
    for path, text in sources.items():
        for number, line in enumerate(text.splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            includers.setdefault(match.group(2), set()).add(path)
            for prefix, library in CONFINED:
                if match.group(2).startswith(prefix) and path.endswith((".hpp", ".h", ".ipp")):
                    foreign.append((path, number, library))
    for header, number, library in foreign:
        reached, waiting = {header}, [header]
        while waiting:
            for path in includers.get(waiting.pop(), ()):
                if path not in reached:
                    reached.add(path)
                    waiting.append(path)
        allowed = {module_of(header)} | SHARED.get(header, set())
        outside = sorted(path for path in reached if module_of(path) not in allowed)
        if outside:
            why = f"{library} must stay inside {module_of(header)}, but reaches {outside[0]} through this header"
            yield Violation(f"{header}:{number}", why)


CALL = re.compile(r"tokenrail_(module|program)\s*\(([^)]*)\)", re.DOTALL)


def cmake_calls(text: str) -> Iterator[tuple]:
    """(name, depends, line) for each of our targets in a CMakeLists.txt."""
    text = re.sub(r"#[^\n]*", "", text)
    for match in CALL.finditer(text):
        words, key, values = match.group(2).split(), None, {}
        for word in words:
            if word in ("NAME", "DEPENDS", "LIBRARIES", "SOURCES"):
                key = word
            elif key:
                values.setdefault(key, []).append(word)
        name = values.get("NAME", ["?"])[0]
        target = f"tokenrail_{name}" if match.group(1) == "module" else name
        yield target, values.get("DEPENDS", []), text.count("\n", 0, match.start()) + 1


def check_cmake(lists: dict) -> Iterator[Violation]:
    """`lists`: text of each product CMakeLists.txt by path."""
    home = {}
    for path, text in lists.items():
        for target, _, _ in cmake_calls(text):
            home[target] = module_of(path)
    for path, text in lists.items():
        module = module_of(path)
        if module is None:
            continue
        for target, depends, line in cmake_calls(text):
            for dependency in depends:
                other = home.get(dependency)
                why = arrow_problem(module, other) if other else None
                if why:
                    yield Violation(f"{path}:{line}", f"DEPENDS of {target}: {why}")


def check_tree(root: pathlib.Path) -> list:
    found, lists, sources = [], {}, {}
    for top in PRODUCT + ("tests",):
        for file in sorted((root / top).rglob("*")):
            path = file.relative_to(root).as_posix()
            if file.suffix in SOURCE_SUFFIXES and file.is_file():
                text = file.read_text(encoding="utf-8")
                found += check_source(path, text)
                if top in PRODUCT:
                    sources[path] = text
            elif file.name == "CMakeLists.txt" and top in PRODUCT:
                lists[path] = file.read_text(encoding="utf-8")
    found += check_confined(sources)
    found += check_cmake(lists)
    return found


# --- self-test: a check that has never been seen red is not a check ---------------------------------------------------

CLEAN = {
    "common/result.hpp": "#include <expected>\n",
    "common/config/settings.hpp": '#include "common/result.hpp"\n',
    "common/telemetry/log.hpp": '#include "common/result.hpp"\n#include "common/telemetry/metrics.hpp"\n',
    "common/kafka/consumer.cpp": '#include <librdkafka/rdkafka.h>\n#include "common/telemetry/log.hpp"\n',
    "common/http/easy_handle.hpp": "#include <curl/curl.h>\n",
    "common/http/client.cpp": '#include <curl/curl.h>\n#include "common/http/easy_handle.hpp"\n',
    "common/crypto/gcm.cpp": '#include <jansson.h>\n#include <openssl/evp.h>\n#include "common/config/settings.hpp"\n',
    "common/events/request_name.cpp": "#include <openssl/evp.h>\n",
    "common/events/chunk.cpp": '#include <simdjson.h>\n#include "common/http/framing.hpp"\n',
    "common/registry/store.cpp": '#include <soci/soci.h>\n#include "common/events/chunk.hpp"\n',
    "common/providers/provider.hpp": '#include "common/events/chunk.hpp"\n',
    "common/auth/json.hpp": "#include <functional>\n",
    "common/auth/jwt.cpp": '#include <jansson.h>\n#include "common/auth/json.hpp"\n',
    "workers/registry_api/api.cpp": '#include "common/auth/json.hpp"\n',
    "common/events/json_document.hpp": "#include <simdjson.h>\n",
    "common/providers/failure_text.cpp": '#include "common/events/json_document.hpp"\n',
    "workers/router/router.cpp": '#include "common/registry/store.hpp"\n#include "common/providers/provider.hpp"\n',
    "workers/router/main.cpp": '#include "common/telemetry/health.hpp"\n#include "common/config/settings.hpp"\n',
    "common/crypto/key_ring.hpp": '#include "common/result.hpp"\n',
    "workers/router/keys.cpp": '#include "common/crypto/key_ring.hpp"\n',
    "workers/router/CMakeLists.txt": "tokenrail_module(NAME router DEPENDS tokenrail_registry)\n",
    "common/registry/CMakeLists.txt": "tokenrail_module(NAME registry DEPENDS tokenrail_asio)\n",
    "cli/chat.cpp": '#include "common/kafka/consumer.hpp"\n',
    "tests/unit/common/kafka/consumer_test.cpp": '#include <librdkafka/rdkafka.h>\n#include "workers/router/router.hpp"\n',
}
PLANTED = [  # (path, text, part of the complaint)
    ("common/telemetry/log.hpp", '#include "common/kafka/consumer.hpp"\n', "points upwards"),
    ("common/kafka/consumer.hpp", '#include "common/events/chunk.hpp"\n', "points upwards"),
    ("common/http/client.hpp", '  #  include "common/kafka/producer.hpp"\n', "of one layer"),
    ("common/config/settings.cpp", '#include "common/telemetry/log.hpp"\n', "of one layer"),
    ("common/registry/store.hpp", '#include "common/providers/provider.hpp"\n', "of one layer"),
    ("common/providers/ollama/ollama.cpp", '#include "common/registry/projection.hpp"\n', "of one layer"),
    ("common/registry/store.hpp", '#include "workers/router/router.hpp"\n', "points upwards"),
    ("workers/router/a.cpp", '#include "workers/registry_sync/sync.hpp"\n', "never includes another"),
    ("workers/router/a.cpp", '#include "cli/chat.hpp"\n', "of one layer"),
    ("common/result.hpp", '#include "common/config/settings.hpp"\n', "below all"),
    ("common/mystery/a.cpp", '#include "common/config/settings.hpp"\n', "has no layer"),
    ("common/events/chunk.hpp", '#include "chunk_id.hpp"\n', "from the root"),
    ("common/events/chunk.hpp", "#include <common/result.hpp>\n", "with quotes"),
    ("workers/router/a.cpp", '#include "tests/support/fake.hpp"\n', "never includes tests"),
    ("workers/router/a.cpp", "#include <librdkafka/rdkafka.h>\n", "only in common/kafka"),
    ("common/kafka/consumer.hpp", "#include <librdkafka/rdkafka.h>\n", "librdkafka must stay inside"),
    ("common/registry/store.hpp", "#include <soci/soci.h>\n", "SOCI must stay inside"),
    ("common/telemetry/health.hpp", "#include <boost/beast/http.hpp>\n", "Boost.Beast must stay inside"),
    ("common/events/chunk.hpp", "#include <simdjson.h>\n", "simdjson must stay inside"),
    ("workers/router/a.hpp", '#include "common/events/json_document.hpp"\n', "simdjson must stay inside"),
    ("workers/router/b.cpp", '#include "common/events/json_document.hpp"\n', "simdjson must stay inside"),
    ("common/events/chunk.cpp", "# define SIMDJSON_THREADS_ENABLED 1\n", "same in every file"),
    ("tests/unit/cli/chat_test.cpp", "#undef SIMDJSON_DEVELOPMENT_CHECKS\n", "same in every file"),
    ("common/http/framing.hpp", '#include "common/http/easy_handle.hpp"\n', "libcurl must stay inside"),
    ("common/config/settings.hpp", "#include <toml++/toml.h>\n", "toml++ must stay inside"),
    ("common/crypto/key_ring.hpp", "#include <openssl/evp.h>\n", "OpenSSL must stay inside"),
    ("common/crypto/key_ring.hpp", "#include <jansson.h>\n", "jansson must stay inside"),
    ("common/http/client.cpp", "#include <openssl/ssl.h>\n", "only in common/crypto"),
    ("common/http/client.cpp", '#include "common/crypto/bytes.hpp"\n', "of one layer"),
    ("common/auth/json.hpp", "#include <jansson.h>\n", "jansson must stay inside"),
    ("common/auth/json.hpp", "#include <cjose/cjose.h>\n", "cjose must stay inside"),
    ("common/auth/json.hpp", '#include "common/events/chunk.hpp"\n', "of one layer"),
    ("common/registry/CMakeLists.txt", "tokenrail_module(\n  NAME registry\n  DEPENDS tokenrail_router)\n", "DEPENDS of"),
]


def complaints(files: dict) -> list:
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        return check_tree(root)


def self_test() -> int:
    failed = 0
    clean = complaints(CLEAN)
    if clean:
        failed += 1
        print(f"a clean tree is called broken: {clean}")
    for path, text, expected in PLANTED:
        found = complaints({**CLEAN, path: text})
        if len(found) != 1 or expected not in found[0].why:
            failed += 1
            print(f"planted in {path}: {text.strip()!r}: expected one complaint with {expected!r}, got {found}")
    print(f"check_includes self-test: {len(PLANTED) + 1 - failed} passed, {failed} failed")
    return 1 if failed else 0


def main(arguments: list) -> int:
    if arguments == ["--self-test"]:
        return self_test()
    if len(arguments) > 1 or (arguments and arguments[0].startswith("-")):
        print(__doc__, file=sys.stderr)
        return 2
    root = pathlib.Path(arguments[0]) if arguments else pathlib.Path(__file__).resolve().parent.parent
    found = check_tree(root)
    for violation in found:
        print(f"{violation.where}: {violation.why}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
