"""What a document uses is found where its imports say, on the disk or in the editor."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_lsp.core.context.candidates import Piece
from llm_lsp.core.privacy.exclusion import Exclusion
from llm_lsp.engine.context.related_files import RelatedFiles
from llm_lsp.engine.context.source_files import FileReader
from llm_lsp.engine.privacy.workspace_bounds import WorkspaceBounds


def used(folder: Path, name: str, language: str, text: str, **opened: str) -> dict[str, set[str]]:
    """Return the files that a document uses, with the names it uses from each."""
    uri = (folder / name).as_uri()
    bounds = WorkspaceBounds.around(uri, [folder.as_uri()], Exclusion((), ()))
    own = Piece(uri, name, language, text.splitlines(keepends=True))
    pieces = {uri: own}
    for other, content in opened.items():
        path = folder / f"{other}.py"
        pieces[path.as_uri()] = Piece(
            path.as_uri(), f"{other}.py", "python", content.splitlines(keepends=True)
        )
    project = RelatedFiles(bounds, FileReader(), pieces)
    return {
        piece.path: set(names & piece.defined) for piece, names in project.used_by(own) if piece is not own
    }


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("name", "language", "text", "files", "expected"),
    [
        pytest.param(
            "app/a.py",
            "python",
            "from app.models import User\nfrom app import db\n",
            {"app/models.py": "class User: ...\nclass Other: ...\n", "app/db.py": "def save(): ...\n"},
            {"app/models.py": {"User"}, "app/db.py": set()},
            id="python",
        ),
        pytest.param(
            "a.py",
            "python",
            "from lib import User\n",
            {"lib/__init__.py": "from .inner import User\n", "lib/inner.py": "class User: ...\n"},
            {"lib/__init__.py": set(), "lib/inner.py": {"User"}},
            id="a package that passes on",
        ),
        pytest.param(
            "src/a.ts",
            "typescript",
            "import { User } from './models'\n",
            {"src/models/index.ts": "export interface User { id: number }\n"},
            {"src/models/index.ts": {"User"}},
            id="typescript",
        ),
        pytest.param(
            "cmd/main.go",
            "go",
            'import "example.org/shop/models"\nvar u = models.NewUser()\n',
            {
                "models/user.go": "package models\nfunc NewUser() int { return 1 }\n",
                "cmd/flags.go": "package main\n",
            },
            {"models/user.go": {"NewUser"}, "cmd/flags.go": set()},
            id="go, with its own package",
        ),
        pytest.param(
            "src/main.rs",
            "rust",
            "mod db;\nuse crate::db::Pool;\n",
            {"src/db.rs": "pub struct Pool { size: u8 }\n"},
            {"src/db.rs": {"Pool"}},
            id="rust",
        ),
        pytest.param(
            "src/main/java/org/A.java",
            "java",
            "package org;\nimport org.b.User;\nclass A { Near near; }\n",
            {
                "src/main/java/org/b/User.java": "public class User {}\n",
                "src/main/java/org/Near.java": "class Near {}\n",
            },
            {"src/main/java/org/b/User.java": {"User"}, "src/main/java/org/Near.java": {"Near"}},
            id="java, with its own package",
        ),
    ],
)
def test_imports_are_followed(
    tmp_path: Path, name: str, language: str, text: str, files: dict[str, str], expected: dict[str, set[str]]
) -> None:
    write(tmp_path, files)

    assert used(tmp_path, name, language, text) == expected


def test_an_open_file_is_taken_as_it_is_in_the_editor(tmp_path: Path) -> None:
    write(tmp_path, {"models.py": "class Old: ...\n"})

    found = used(
        tmp_path, "a.py", "python", "import models\nmodels.New()\nmodels.Old()\n", models="class New: ...\n"
    )

    assert found == {"models.py": {"New"}}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("from ..... import out\n", id="above the top"),
        pytest.param(f"import {'a' * 5000}\n", id="a name that is too long"),
        pytest.param("import missing\n", id="not there"),
        pytest.param("import folder\n", id="a folder by a file's name"),
    ],
)
def test_what_is_not_there_is_passed_over(tmp_path: Path, text: str) -> None:
    (tmp_path / "folder.py").mkdir()

    assert used(tmp_path, "a.py", "python", text) == {}
