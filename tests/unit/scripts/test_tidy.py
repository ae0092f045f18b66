import json

import tidy


def test_changed_sources_and_the_users_of_changed_headers_are_chosen(tmp_path, monkeypatch):
    for path, text in {
        "common/kafka/ledger.cpp": '#include "common/kafka/ledger.hpp"\n',
        "common/kafka/admin.cpp": '#include "common/kafka/admin.hpp"\n',
        "workers/router/main.cpp": '#include "common/kafka/ledger.hpp"\n',
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    monkeypatch.setattr(tidy, "ROOT", tmp_path)
    compiled = ["common/kafka/admin.cpp", "common/kafka/ledger.cpp", "workers/router/main.cpp"]

    assert tidy.select(compiled, {"common/kafka/ledger.hpp"}) == ["common/kafka/ledger.cpp"]
    assert tidy.select(compiled, {"workers/router/main.cpp", "README.md"}) == ["workers/router/main.cpp"]
    assert tidy.select(compiled, {"common/kafka/gone.cpp"}) == []


def test_nothing_is_included_but_what_a_file_includes(tmp_path):
    command = ("clang++ -DX -Winvalid-pch -Xclang -include-pch -Xclang /b/t.dir/cmake_pch.hxx.pch -Xclang -include "
               "-Xclang /b/t.dir/cmake_pch.hxx -o a.o -c a.cpp")
    (tmp_path / "compile_commands.json").write_text(json.dumps([{"directory": "/b", "command": command, "file": "a.cpp"}]))
    commands = json.loads((tidy.without_precompiled_headers(tmp_path) / "compile_commands.json").read_text())
    assert [entry["command"] for entry in commands] == ["clang++ -DX -Winvalid-pch -o a.o -c a.cpp"]
