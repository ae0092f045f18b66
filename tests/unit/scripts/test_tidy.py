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
