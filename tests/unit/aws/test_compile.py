import json
from pathlib import Path

from lampion.aws import compile as compile_step
from lampion.aws.compile import SERVICES, TABLES, compile_service


def test_the_shipped_tables_are_what_the_build_step_makes_today():
    for service, api_version in SERVICES.items():
        shipped = TABLES.joinpath(f"{service}.json").read_text(encoding="utf-8")
        assert shipped == compile_service(service, api_version), "run: python -m lampion.aws.compile"


def test_a_table_says_where_it_comes_from_and_under_which_licence():
    table = json.loads(TABLES.joinpath("lambda.json").read_text(encoding="utf-8"))
    assert f"botocore {table['botocore']}" in table["notice"]
    assert "Apache License, Version 2.0" in table["notice"]


def test_a_table_holds_every_operation_and_no_documentation():
    text = TABLES.joinpath("lambda.json").read_text(encoding="utf-8")
    table = json.loads(text)
    assert len(table["operations"]) == 91
    assert sum("error_status" in shape for shape in table["shapes"].values()) == 58
    assert '"documentation"' not in text
    assert len(text) < 200_000


def test_the_build_step_writes_the_tables(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setattr(compile_step, "TABLES", tmp_path / "tables")
    compile_step.main()
    assert (tmp_path / "tables" / "lambda.json").read_bytes() == TABLES.joinpath("lambda.json").read_bytes()
    assert "lambda.json" in capsys.readouterr().out
