"""Mutation testing of the pure cores: `make mutants`.

Copies the tree into a folder of its own, lets mutmut change the cores there one place at a time, runs the unit
tests of the changed function, and fails when more than a tenth of the changes stay unseen. How to read it, and
which changes cannot be seen because nothing differs: docs/mutants.md.
"""

import argparse
import contextlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parent.parent
LIMIT = 0.10
SEED = 12345
SAMPLE = 150
"""So many mutants of a module, at most, by a draw with a fixed seed."""
LEFT_OUT = shutil.ignore_patterns("__pycache__", "node_modules", "dist", ".*_cache")
VERDICTS = {0: "survived", 1: "killed", 3: "killed", 5: "survived", 33: "survived", 36: "timed out"}
TIMED_OUT = {-9, -24, 24, 152, 255}
NOTHING = "(nothing)"
"""How a line is printed that was left out."""
ROW = re.compile(r"^\| `(?P<function>[^`]+)` \| `(?P<was>.*?)` \| `(?P<now>.*?)` \|")


def main() -> int:
    """Exit code: 0 when few enough survive, 1 when too many do, 2 when nothing could be judged."""
    wanted = _arguments()
    with contextlib.ExitStack() as stack:
        keep = wanted.keep or stack.enter_context(tempfile.TemporaryDirectory(prefix="mutants-"))
        tree = Path(keep).resolve()
        _copy(tree)
        modules = [name for name in _modules() if not wanted.only or name in wanted.only]
        if not _mutmut(tree, _first(modules)):
            return 2
        chosen = {module: _draw(_names(tree, module), wanted.sample, wanted.seed) for module in modules}
        for module, names in chosen.items():
            print(f"{module}: {len(names)} of {len(_names(tree, module))} mutants, seed {wanted.seed}", flush=True)
        print(f"They are tried one after another; mutmut's own words are in {tree / 'mutmut.log'}", flush=True)
        if not _mutmut(tree, [name for names in chosen.values() for name in names]):
            return 2
        return _report(tree, chosen)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scripts.mutants", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("only", nargs="*", help="modules, for example ivr.numbers; all cores without")
    parser.add_argument("--sample", type=int, default=SAMPLE, help="mutants of a module at most")
    parser.add_argument("--seed", type=int, default=SEED, help="of the draw")
    parser.add_argument("--keep", help="work in this new folder and leave it")
    wanted = parser.parse_args()
    unknown = sorted({*wanted.only} - {*_modules()})
    if unknown:
        parser.error(f"no core that is watched: {', '.join(unknown)} (watched are {', '.join(_modules())})")
    return wanted


def _settings() -> dict[str, list[str]]:
    found: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]
    return found


def _modules() -> list[str]:
    return [path.removesuffix(".py").replace("/", ".") for path in _settings()["only_mutate"]]


def _copy(tree: Path) -> None:
    """The shared checkout stays as it is: everything happens in `tree`."""
    for name in (*_settings()["source_paths"], *_settings()["also_copy"], "tests"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=LEFT_OUT)
        else:
            shutil.copy2(source, tree / name)
    shutil.copy2(ROOT / "pyproject.toml", tree)


def _mutmut(tree: Path, names: Iterable[str]) -> bool:
    command = [str(Path(sys.executable).with_name("mutmut")), "run", "--max-children", "1", *names]
    environ = {
        **os.environ,
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "PYTEST_TIMEOUT": "1200",
    }  # tests are noted slowly
    log = tree / "mutmut.log"
    with log.open("ab") as out:
        ended = subprocess.run(command, cwd=tree, env=environ, stdout=out, stderr=out, check=False)
    if ended.returncode:
        print(log.read_text("utf-8", "replace")[-4000:], file=sys.stderr)
    return ended.returncode == 0


def _first(modules: list[str]) -> list[str]:
    """Enough to have all mutants written, the tests of every function noted, and the unchanged tree tested."""
    return [f"{modules[0]}.x*__mutmut_1"]


def _results(tree: Path, module: str) -> dict[str, int | None]:
    file = tree / "mutants" / f"{module.replace('.', '/')}.py.meta"
    found: dict[str, int | None] = json.loads(file.read_text("utf-8"))["exit_code_by_key"]
    return found


def _names(tree: Path, module: str) -> list[str]:
    return list(_results(tree, module))


def _draw(names: list[str], most: int, seed: int) -> list[str]:
    if len(names) <= most:
        return names
    chosen = set(random.Random(seed).sample(names, most))  # noqa: S311 - a draw, no secret
    return [name for name in names if name in chosen]


def _verdict(code: int | None) -> str:
    return "timed out" if code in TIMED_OUT else VERDICTS.get(code if code is not None else 2, f"broken ({code})")


def _report(tree: Path, chosen: dict[str, list[str]]) -> int:
    equal = _equivalents()
    total: Counter[str] = Counter()
    lines: list[str] = []
    print(
        f"\n{'module':24}{'mutants':>9}{'killed':>9}{'survived':>9}{'timed out':>10}{'equivalent':>11}{'survivors':>10}"
    )
    for module, names in chosen.items():
        results = _results(tree, module)
        count: Counter[str] = Counter()
        for name in names:
            verdict = _verdict(results[name])
            if verdict == "survived":
                function, was, now = _change(tree, module, name)
                verdict = "equivalent" if (function, was, now) in equal else verdict
                lines += [f"{name}\n    - {was}\n    + {now}"] if verdict == "survived" else []
            count[verdict.partition(" (")[0]] += 1
        total += count
        _row(module, count)
    _row("all", total)
    print("", *lines, sep="\n")
    return int(_share(total) > LIMIT or bool(total["broken"]))


def _share(count: Counter[str]) -> float:
    judged = count.total() - count["equivalent"]
    return count["survived"] / judged if judged else 0.0


def _row(name: str, count: Counter[str]) -> None:
    cells = (count.total(), count["killed"], count["survived"], count["timed out"], count["equivalent"])
    print(f"{name:24}{cells[0]:9}{cells[1]:9}{cells[2]:9}{cells[3]:10}{cells[4]:11}{_share(count):10.1%}")


def _change(tree: Path, module: str, name: str) -> tuple[str, str, str]:
    """Which function, and its changed lines before and after, each on one line."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    with contextlib.chdir(tree):
        diff = get_diff_for_mutant(name, path=Path(f"{module.replace('.', '/')}.py")).splitlines()[2:]
    was, now = (_joined(line[1:] for line in diff if line.startswith(sign)) for sign in "-+")
    function = name.removeprefix(f"{module}.").partition("__mutmut_")[0].removeprefix("x").lstrip("_ǁ")
    return f"{module}.{function.replace('ǁ', '.')}", was, now


def _joined(lines: Iterable[str]) -> str:
    return " ".join(line.strip() for line in lines).strip() or NOTHING


def _equivalents() -> set[tuple[str, str, str]]:
    """The rows of the table in docs/mutants.md."""
    text = (ROOT / "docs" / "mutants.md").read_text("utf-8")
    rows = (ROW.match(line) for line in text.splitlines())
    return {(row["function"], row["was"].replace(r"\|", "|"), row["now"].replace(r"\|", "|")) for row in rows if row}


if __name__ == "__main__":
    raise SystemExit(main())
