"""Migrations: on both databases, all or nothing, once when several processes start, and never backwards."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from hotline import schema
from hotline.errors import BadInput, Unavailable

pytestmark = pytest.mark.contract

REVISION = """
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {before!r}
branch_labels = None
depends_on = None


def upgrade():
{body}


def downgrade():
    pass
"""


def _write(folder: Path, revision: str, before: str | None, body: str) -> None:
    folder.mkdir(exist_ok=True)
    indented = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    (folder / f"{revision}.py").write_text(REVISION.format(revision=revision, before=before, body=indented))


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    folder = tmp_path / "versions"
    table = 'op.create_table("pets", sa.Column("id", sa.Integer, primary_key=True), sa.Column("word", sa.String(9)))'
    _write(folder, "aaa", None, table)
    _write(folder, "bbb", "aaa", 'op.add_column("pets", sa.Column("at", sa.DateTime(timezone=True)))')
    return folder


def test_an_empty_database_comes_up_to_the_newest_revision_and_stays_there(database_url: str, versions: Path) -> None:
    assert schema.current(database_url) is None
    with pytest.raises(BadInput, match="start `hotline serve` once"):
        schema.check(database_url, versions=versions)
    for _ in range(2):
        schema.upgrade(database_url, versions=versions)
        assert schema.current(database_url) == "bbb" == schema.expected(versions=versions)
    schema.check(database_url, versions=versions)


def test_asking_leaves_no_empty_file_behind(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'folder' / 'hotline.db'}"
    assert schema.current(url) is None
    with pytest.raises(BadInput, match="no database in this data folder"):
        schema.check(url)
    assert not list(tmp_path.iterdir())


def test_a_schema_left_behind_by_an_older_version_is_named(database_url: str, versions: Path) -> None:
    schema.upgrade(database_url, versions=versions)
    _write(versions, "ccc", "bbb", 'op.add_column("pets", sa.Column("size", sa.Integer))')
    with pytest.raises(BadInput, match="older than this version expects"):
        schema.check(database_url, versions=versions)


def test_an_interrupted_migration_leaves_everything_as_it_was(database_url: str, versions: Path) -> None:
    schema.upgrade(database_url, versions=versions)
    body = 'op.create_table("half", sa.Column("id", sa.Integer))\nop.execute("SELECT * FROM nowhere")'
    _write(versions, "ccc", "bbb", body)
    with pytest.raises(Unavailable, match="could not be brought up to date"):
        schema.upgrade(database_url, versions=versions)
    assert schema.current(database_url) == "bbb"
    _write(versions, "ccc", "bbb", 'op.create_table("half", sa.Column("id", sa.Integer))')
    schema.upgrade(database_url, versions=versions)
    assert schema.current(database_url) == "ccc"


def test_a_newer_schema_is_refused_with_what_to_do(database_url: str, versions: Path) -> None:
    schema.upgrade(database_url, versions=versions)
    (versions / "bbb.py").unlink()
    for refuse in (schema.upgrade, schema.check):
        with pytest.raises(BadInput, match=r"\(bbb\) was made by a newer version: install that one"):
            refuse(database_url, versions=versions)


def test_processes_that_start_together_migrate_once(database_url: str, versions: Path) -> None:
    slow = 'op.execute("SELECT pg_sleep(2)") if op.get_bind().dialect.name == "postgresql" else None'
    _write(versions, "000", None, slow)  # slow enough for the others to come meanwhile
    _write(versions, "aaa", "000", 'op.create_table("pets", sa.Column("id", sa.Integer, primary_key=True))')
    script = "import sys, pathlib; from hotline import schema;"
    script += "schema.upgrade(sys.argv[1], versions=pathlib.Path(sys.argv[2]))"
    here = Path(__file__).parents[2]
    started = [
        subprocess.Popen([sys.executable, "-c", script, database_url, str(versions)], cwd=here) for _ in range(3)
    ]
    assert [process.wait(60) for process in started] == [0, 0, 0]
    assert schema.current(database_url) == "bbb"


def test_a_database_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        schema.upgrade(f"postgresql://hotline@/none?host={tmp_path}")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Unavailable):
        schema.upgrade(f"sqlite:///{tmp_path / 'file' / 'hotline.db'}")


def test_a_revision_is_written_from_tables_that_are_imported_by_name(database_url: str, tmp_path: Path) -> None:
    versions = tmp_path / "written"
    versions.mkdir()
    written = schema.revise(database_url, "People", ["hotline.tables"], versions=versions)
    words = written.read_text()
    assert "create_table('people'" in words or 'create_table("people"' in words
    assert "DateTime(timezone=True)" in words
    assert "hotline.database" not in words
    schema.upgrade(database_url, versions=versions)
    assert schema.differences(database_url, ["hotline.tables"]) == []
