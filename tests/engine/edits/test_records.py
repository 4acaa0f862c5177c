"""What the usage store keeps of next edits."""

from __future__ import annotations

import asyncio
from pathlib import Path

from llm_lsp.core.skip import Reason
from llm_lsp.usage_store.reader import UsageReader
from llm_lsp.usage_store.usage_files import UsageFiles
from tests.engine.edits.rig import RENAMED, SOURCE, EditRig


async def test_requests_for_next_edits_are_kept_and_shown_if_wanted(tmp_path: Path) -> None:
    file = tmp_path / "usage.db"
    rig = EditRig(store=UsageFiles(file))
    await rig.write(SOURCE)
    await rig.ask()
    await rig.become(RENAMED)
    rig.engine.accepted((await rig.offered()).id)
    await rig.engine.aclose()

    reader = await asyncio.to_thread(UsageReader, file)

    assert reader.asked(last=9) == []
    assert [
        (asked.trace.reason, asked.trace.shown_chars) for asked in reader.asked(last=9, with_edits=True)
    ] == [
        (Reason.NOT_EDITED.value, None),
        ("", 6),
    ]
