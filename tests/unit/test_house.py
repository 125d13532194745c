"""Rules of the house that no linter knows: who imports whom, how long a file may be, where words live, what stays out.

The layers themselves are import-linter's matter.
"""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parent.parent.parent
PACKAGES = (
    *("hotline", "telephony", "ivr", "acd", "agents", "recordings"),
    *("transcription", "tickets", "quality", "calls", "console"),
)
LONGEST = 400
"""Lines. Schema revisions are written by a program and read by nobody."""
SENTENCE = re.compile(r"[㐀-鿿]{3,}")
"""Words for people are data; a character of a date in a pattern is none."""
HOSTS = tuple(
    ".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("deb", "debian", "org"))
)
"""Put together here, so that this file names none."""
PLACES = re.compile(r"(?<![\w.}~-])/(?:work|root|home|Users)/[\w.]")
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".json", ".conf", ".lock", ".js", ".css", ".html", ".in", ".tsv", ""}


def modules() -> list[Path]:
    """Every module of the product."""
    inside = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
    return [ROOT / "app.py", *(file for file in inside if "migrations/versions" not in file.as_posix())]


def tracked() -> list[Path]:
    """Every file of the repository; what lies beside the modules when this is no checkout."""
    if not (ROOT / ".git").exists():
        return modules()
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True, check=True)
    return [file for name in listed.stdout.split("\0") if name and (file := ROOT / name).is_file()]


def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"), str(file))


def short(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def imported(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def test_nobody_imports_the_composition_root() -> None:
    others = [file for folder in ("bench", "scripts", "speech") for file in (ROOT / folder).rglob("*.py")]
    guilty = [short(file) for file in (*modules(), *others) if "app" in set(imported(tree(file)))]
    assert guilty == []


def test_no_two_modules_import_each_other_not_even_for_types() -> None:
    """But for the parts of the softphone, of which none is of use without the others."""
    names = {short(file).removesuffix(".py").removesuffix("/__init__").replace("/", "."): file for file in modules()}
    needs = {name: names.keys() & {*imported(tree(file)), *_parts(tree(file))} - {name} for name, file in names.items()}
    found = {name for name in needs if name in _reached(needs, name)}
    assert {name for name in found if not name.startswith("telephony.softphone")} == set()


def _parts(module: ast.Module) -> Iterator[str]:
    """`from room import part` imports `room.part`."""
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _reached(needs: dict[str, set[str]], name: str) -> set[str]:
    """Everything that a module imports, and what that imports."""
    seen: set[str] = set()
    waiting = [*needs[name]]
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            waiting += needs[one]
    return seen


def test_no_module_is_longer_than_can_be_seen() -> None:
    lengths = {short(file): len(file.read_text("utf-8").splitlines()) for file in modules()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}


def test_every_module_says_what_it_is() -> None:
    silent = [short(file) for file in modules() if file.stat().st_size and not ast.get_docstring(tree(file))]
    assert silent == []


def chinese_words(module: ast.Module) -> list[str]:
    """Sentences among the string literals, but for docstrings and tables from an enum's member to its name."""
    spared: set[int] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Expr):
            spared.add(id(node.value))
        elif isinstance(node, ast.Dict) and all(isinstance(key, ast.Attribute) for key in node.keys):
            spared |= {id(value) for value in node.values}
    return [
        node.value
        for node in ast.walk(module)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in spared
        and SENTENCE.search(node.value)
    ]


def test_words_for_people_are_data() -> None:
    found = {short(file): words for file in modules() if (words := chinese_words(tree(file)))}
    assert found == {}


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ('SAID = "您好,请讲"', 0),
        ('SAID = "欢迎致电"', 1),
        ('SAID = f"欢迎致电{number}"', 1),
        ('"""欢迎致电"""', 0),
        ('NAMES = {Mode.WHOLE: "整体并入"}', 0),
        ('NAMES = {"whole": "整体并入"}', 1),
        ('DATE = re.compile("([0-9]{4})年([0-9]+)月")', 0),
    ],
)
def test_a_sentence_is_told_from_a_name_and_a_pattern(code: str, count: int) -> None:
    assert len(chinese_words(ast.parse(code))) == count


def is_local(line: str) -> bool:
    """Whether a line names a package registry or a folder of one machine."""
    return any(host in line for host in HOSTS) or PLACES.search(line) is not None


def test_no_file_names_a_package_registry_or_a_place_of_one_machine() -> None:
    guilty = [
        f"{short(file)}:{number}: {line.strip()[:100]}"
        for file in tracked()
        if file.suffix in TEXT
        for number, line in enumerate(file.read_text("utf-8", "replace").splitlines(), 1)
        if is_local(line)
    ]
    assert guilty == []


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (f"index-url = https://{HOSTS[0]}/simple", True),
        ("cd " + "/" + "work/main", True),
        ("HOME=" + "/" + "root/.cache", True),
        ('mv "$work/tree/usr" "$tree"', False),
        ("GET /api/v1/home/", False),
        ("HOME=/root PATH=/usr/bin", False),
    ],
)
def test_a_place_of_one_machine_is_told_from_a_path(line: str, answer: bool) -> None:
    assert is_local(line) is answer


def test_only_the_guard_admits_a_number_to_be_dialled_outside() -> None:
    makers = {
        short(file)
        for file in modules()
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Admitted"
    }
    assert makers == {"calls/outside.py"}
