from decimal import Decimal
from pathlib import Path

import pytest

from relay.commerce import Customer
from relay.errors import ConfigurationError
from relay.translation.loading import key_lines, load_mappings, mapping_names
from relay.translation.mapping import Fields


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "mappings"


def write(folder: Path, **files: str) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")


def faults_of(folder: Path, *names: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_mappings(folder, names)
    return [str(fault) for fault in caught.value.faults]


def contact_of(folder: Path, name: str) -> Fields:
    return load_mappings(folder, [name])[name].contact({"customer": Customer(email="anna@example.com")})


def test_a_mapping_is_found_by_its_name(folder: Path) -> None:
    write(folder, acme="[contact]\nemail = '{{ customer.email }}'", other="")
    loaded = load_mappings(folder, ["acme", "other", "acme"])
    assert list(loaded) == ["acme", "other"]
    assert loaded["acme"].name == "acme"
    assert loaded["other"].contact({}).values == {}


def test_the_names_of_all_mappings_are_known(folder: Path) -> None:
    write(folder, b="", a="")
    (folder / "README.md").write_text("x")
    (folder / "Not a name.toml").write_text("x")
    assert mapping_names(folder) == ["a", "b"]


def test_tables_are_merged_line_by_line_and_lists_are_replaced(folder: Path) -> None:
    write(
        folder,
        base='[contact]\nname = "base"\ncity = "Warsaw"\ntags = ["a", "b"]\n[contact.properties]\nx = 1\ny = 2',
        mid='extends = "base"\n[contact]\ntags = ["c"]',
        top='extends = "mid"\n[contact]\nname = "top"\n[contact.properties]\ny = 3',
    )
    fields = contact_of(folder, "top")
    assert fields.values == {"name": "top", "city": "Warsaw", "tags": ["c"], "properties": {"x": 1, "y": 3}}
    assert {target: source.file for target, source in fields.sources.items()} == {
        "name": "mappings/top.toml",
        "city": "mappings/base.toml",
        "tags": "mappings/mid.toml",
        "properties.x": "mappings/base.toml",
        "properties.y": "mappings/top.toml",
    }


def test_an_empty_text_takes_a_line_out(folder: Path) -> None:
    write(
        folder,
        base='[contact]\nname = "base"\ncity = "x"\n[event]\nvalue = 1\ndetail1 = "a"\n[event.CART]\ndetail2 = "b"',
        top='extends = "base"\n[contact]\nname = ""\n[event.CART]\nvalue = ""\ndetail2 = ""',
    )
    assert contact_of(folder, "top").values == {"city": "x"}
    mapping = load_mappings(folder, ["top"])["top"]
    assert mapping.event("PURCHASE", {}).values == {"value": 1, "detail1": "a"}
    assert mapping.event("CART", {}).values == {"detail1": "a"}


def test_every_fault_of_every_file_is_told_at_once_with_file_line_and_key(folder: Path) -> None:
    write(
        folder,
        base='[contact]\nnmae = "x"\n\nemail = "{{ customer.emial }}"',
        acme='extends = "base"\n[event.PURCHASE]\ndetail1 = "{{ order.id | uper }}"\n[product]\nid = "{{ product. }}"',
        other='extends = "base"\n[contact.properties]\n"odd key" = ["a", "{{ foo }}"]',
        broken="[contact]\nname = x",
    )
    faults = faults_of(folder, "acme", "other", "broken")
    assert [fault.split(": ")[0] for fault in faults] == [
        "mappings/base.toml:2 contact.nmae",
        "mappings/broken.toml",
        "mappings/base.toml:4 contact.email",
        "mappings/acme.toml:3 event.PURCHASE.detail1",
        "mappings/acme.toml:5 product.id",
        "mappings/other.toml:3 contact.properties.odd key",
    ]
    assert 'did you mean "name"?' in faults[0]
    assert "line 2" in faults[1]
    assert 'customer has no field "emial"; did you mean "email"?' in faults[2]
    assert 'did you mean "upper"?' in faults[3]
    assert "syntax error" in faults[4]


def test_names_of_the_wrong_table_are_faults(folder: Path) -> None:
    write(folder, acme='[contact]\nname = "{{ event.type }}"\n[api.contacts]\nname = "{{ customer.name }}"')
    faults = faults_of(folder, "acme")
    assert ["there is no name" in fault for fault in faults] == [True, True]


def test_a_missing_mapping_is_a_fault_that_names_the_nearest(folder: Path) -> None:
    write(folder, default="", acme='extends = "defualt"')
    assert faults_of(folder, "acm", "acme") == [
        f'mapping "acm": there is no mapping "acm" in {folder}; did you mean "acme"?',
        f'mappings/acme.toml:1 extends: there is no mapping "defualt" in {folder}; did you mean "default"?',
    ]


def test_a_circle_of_files_is_a_fault(folder: Path) -> None:
    write(folder, a='extends = "b"', b='extends = "c"', c='\nextends = "a"', selfish='extends = "selfish"')
    assert faults_of(folder, "a", "selfish") == [
        "mappings/c.toml:2 extends: goes round in a circle: a -> b -> c -> a",
        "mappings/selfish.toml:1 extends: goes round in a circle: selfish -> selfish",
    ]


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "A", "a.b", "", "a/b", "a\n"])
def test_no_name_leads_out_of_the_folder(folder: Path, name: str) -> None:
    write(folder)
    (folder.parent / "outside.toml").write_text("")
    assert "has only a-z, 0-9" in faults_of(folder, name)[0]


def test_a_file_that_cannot_be_read_is_a_fault(folder: Path) -> None:
    write(folder)
    (folder / "latin.toml").write_bytes(b"[contact]\nname = '\xe9'")
    assert faults_of(folder, "latin")[0].startswith("mappings/latin.toml: cannot be read:")


def test_numbers_of_a_file_are_exact(folder: Path) -> None:
    write(folder, acme="[event]\nvalue = 0.1")
    assert load_mappings(folder, ["acme"])["acme"].event("CART", {}).values == {"value": Decimal("0.1")}


def test_lines_of_keys_are_found() -> None:
    text = '''a = 1
[contact] # people
name = """{{
not_a_key = 1
}}"""
"e mail" = 2
[event."PURCHASE"]
  detail1 = ["x",
    "y = 1"]
api.contacts.name = 3
'''
    assert key_lines(text) == {
        ("a",): 1,
        ("contact",): 2,
        ("contact", "name"): 3,
        ("contact", "e mail"): 6,
        ("event", "PURCHASE"): 7,
        ("event", "PURCHASE", "detail1"): 8,
        ("event", "PURCHASE", "api", "contacts", "name"): 10,
    }
